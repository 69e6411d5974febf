// The rows of apps and their tokens.
import type { Database } from 'better-sqlite3';

export type StoredApp = {
  appId: number;
  name: string;
  ipCidrs: string[];
  models: string[] | null;
  maxConcurrent: number | null;
  timeoutSecsMax: number | null;
  maxQueued: number | null;
  /** Names; a workspace that is not there any more may be among them. */
  workspaces: string[];
  tokenLifetimeSecs: number | null;
  createdAt: string;
};

export type ListedApp = StoredApp & {
  /** Of the token that lasts longest; null when one lasts for ever. */
  expiresAt: string | null;
  lastUsedAt: string | null;
  lastUsedIp: string | null;
};

export type StoredToken = {
  digest: string;
  appId: number;
  createdAt: string;
  expiresAt: string | null;
};

export type TokenState = { appId: number; expiresAt: string | null; lastUsedAt: string | null };

export type AppStore = {
  /** The token with this digest, expired ones too, unless its app was revoked. */
  findToken(digest: string): TokenState | null;
  readApp(appId: number): StoredApp | null;
  findApp(name: string): StoredApp | null;
  /** Newest first, revoked ones left out. */
  listApps(beforeAppId: number, limit: number): ListedApp[];
  /** Those that were not revoked. */
  countApps(): number;
  insertApp(app: Omit<StoredApp, 'appId'>): number;
  /** Its limits; the name and the tokens stay. */
  changeApp(app: StoredApp): void;
  revokeApp(appId: number, at: string): void;
  insertToken(token: StoredToken): void;
  /** Lets every token of the app end at `at`, or when it would have before. */
  endTokens(appId: number, at: string): void;
  touchToken(digest: string, at: string, address: string): void;
};

type AppRow = {
  app_id: number;
  name: string;
  ip_cidrs: string;
  models: string | null;
  max_concurrent: number | null;
  timeout_secs_max: number | null;
  max_queued: number | null;
  workspaces: string;
  token_lifetime_secs: number | null;
  created_at: string;
};

type ListedRow = AppRow & {
  expires_at: string | null;
  last_used_at: string | null;
  last_used_ip: string | null;
};

type TokenRow = { app_id: number; expires_at: string | null; last_used_at: string | null };

const columns = `a.app_id, a.name, a.ip_cidrs, a.models, a.max_concurrent, a.timeout_secs_max,
  a.max_queued, a.workspaces, a.token_lifetime_secs, a.created_at`;

export function createAppStore(db: Database): AppStore {
  const findToken = db.prepare<[string], TokenRow>(
    `select t.app_id, t.expires_at, t.last_used_at
     from app_tokens t join apps a on a.app_id = t.app_id
     where t.digest = ? and a.revoked_at is null`,
  );
  const readApp = db.prepare<[number], AppRow>(`select ${columns} from apps a where a.app_id = ?`);
  const findApp = db.prepare<[string], AppRow>(
    `select ${columns} from apps a where a.name = ? and a.revoked_at is null`,
  );
  const listApps = db.prepare<[number, number], ListedRow>(
    `select ${columns},
       iif(count(*) = count(t.expires_at), max(t.expires_at), null) as expires_at,
       max(t.last_used_at) as last_used_at,
       (select u.last_used_ip from app_tokens u where u.app_id = a.app_id
        order by u.last_used_at desc limit 1) as last_used_ip
     from apps a join app_tokens t on t.app_id = a.app_id
     where a.revoked_at is null and a.app_id < ?
     group by a.app_id order by a.app_id desc limit ?`,
  );
  const countApps = db.prepare<[], { count: number }>(
    'select count(*) as count from apps where revoked_at is null',
  );
  const insertApp = db.prepare<[Omit<AppRow, 'app_id'>]>(
    `insert into apps (name, ip_cidrs, models, max_concurrent, timeout_secs_max, max_queued,
       workspaces, token_lifetime_secs, created_at)
     values (@name, @ip_cidrs, @models, @max_concurrent, @timeout_secs_max, @max_queued,
       @workspaces, @token_lifetime_secs, @created_at)`,
  );
  const changeApp = db.prepare<[AppRow]>(
    `update apps set ip_cidrs = @ip_cidrs, models = @models, max_concurrent = @max_concurrent,
       timeout_secs_max = @timeout_secs_max, max_queued = @max_queued,
       workspaces = @workspaces
     where app_id = @app_id`,
  );
  const revokeApp = db.prepare<[string, number]>('update apps set revoked_at = ? where app_id = ?');
  const insertToken = db.prepare<[StoredToken]>(
    `insert into app_tokens (digest, app_id, created_at, expires_at)
     values (@digest, @appId, @createdAt, @expiresAt)`,
  );
  const endTokens = db.prepare<[string, string, number]>(
    'update app_tokens set expires_at = min(coalesce(expires_at, ?), ?) where app_id = ?',
  );
  const touchToken = db.prepare<[string, string, string]>(
    'update app_tokens set last_used_at = ?, last_used_ip = ? where digest = ?',
  );

  return {
    findToken: (digest) => tokenOf(findToken.get(digest)),
    readApp: (appId) => appOf(readApp.get(appId)),
    findApp: (name) => appOf(findApp.get(name)),
    listApps: (beforeAppId, limit) => listApps.all(beforeAppId, limit).map(listedAppOf),
    countApps: () => countApps.get()?.count ?? 0,
    insertApp: (app) => Number(insertApp.run(rowOf(app)).lastInsertRowid),
    changeApp: (app) => void changeApp.run({ ...rowOf(app), app_id: app.appId }),
    revokeApp: (appId, at) => void revokeApp.run(at, appId),
    insertToken: (token) => void insertToken.run(token),
    endTokens: (appId, at) => void endTokens.run(at, at, appId),
    touchToken: (digest, at, address) => void touchToken.run(at, address, digest),
  };
}

function tokenOf(row: TokenRow | undefined): TokenState | null {
  if (row === undefined) return null;
  return { appId: row.app_id, expiresAt: row.expires_at, lastUsedAt: row.last_used_at };
}

function appOf(row: AppRow | undefined): StoredApp | null {
  return row === undefined ? null : decoded(row);
}

function listedAppOf(row: ListedRow): ListedApp {
  return {
    ...decoded(row),
    expiresAt: row.expires_at,
    lastUsedAt: row.last_used_at,
    lastUsedIp: row.last_used_ip,
  };
}

function decoded(row: AppRow): StoredApp {
  return {
    appId: row.app_id,
    name: row.name,
    ipCidrs: JSON.parse(row.ip_cidrs),
    models: row.models === null ? null : JSON.parse(row.models),
    maxConcurrent: row.max_concurrent,
    timeoutSecsMax: row.timeout_secs_max,
    maxQueued: row.max_queued,
    workspaces: JSON.parse(row.workspaces),
    tokenLifetimeSecs: row.token_lifetime_secs,
    createdAt: row.created_at,
  };
}

function rowOf(app: Omit<StoredApp, 'appId'>): Omit<AppRow, 'app_id'> {
  return {
    name: app.name,
    ip_cidrs: JSON.stringify(app.ipCidrs),
    models: app.models === null ? null : JSON.stringify(app.models),
    max_concurrent: app.maxConcurrent,
    timeout_secs_max: app.timeoutSecsMax,
    max_queued: app.maxQueued,
    workspaces: JSON.stringify(app.workspaces),
    token_lifetime_secs: app.tokenLifetimeSecs,
    created_at: app.createdAt,
  };
}
