// A whole vault for one test, on either database: its own data directory and port, in this process, with everything real behind it.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { isoTime, systemClock } from '#shared/clock.ts';
import type { Clock } from '#shared/clock.ts';
import { newId } from '#shared/ids.ts';
import { createLog } from '#shared/log.ts';

import { openVault } from '../../vault/app.ts';
import type { Vault } from '../../vault/app.ts';
import { readConfig } from '../../vault/config.ts';
import { digestOf, mint } from '../../vault/identity/secret-text.ts';
import { keyScopes } from '../../vault/permission/key-scope.ts';
import type { Permission } from '../../vault/permission/permission.ts';
import type { Role } from '../../vault/permission/role.ts';
import { createTestDatabase } from './vault-databases.ts';
import type { TestDatabase, VaultDatabase } from './vault-databases.ts';

export type VaultAnswer = {
  status: number;
  headers: Headers;
  // oxlint-disable-next-line typescript/no-explicit-any -- a test looks at what came, whatever it is
  body: any;
  text: string;
};

export type VaultCall = {
  body?: unknown;
  /** GET, or POST with a body, unless it is said. */
  method?: string;
  headers?: Record<string, string>;
  signal?: AbortSignal;
};

export type SignedIn = { token: string; userId: string; familyId: string };

export type TestVault = AsyncDisposable & {
  vault: Vault;
  url: string;
  dataDir: string;
  database: TestDatabase;
  /** A path below /api/v1; without a token when it is null. */
  call: (token: string | null, path: string, options?: VaultCall) => Promise<VaultAnswer>;
  /** A user with a token, made without a password. */
  person: (role: Role, name?: string) => Promise<SignedIn>;
  key: (
    ownerId: string,
    options?: {
      scopes?: Permission[];
      agents?: string[];
      kind?: 'prod_key' | 'dev_key';
      perMinute?: number;
    },
  ) => Promise<{ token: string; keyId: string }>;
  /** Gives its id. */
  agent: (token: string, name?: string) => Promise<string>;
  /** Gives the event. */
  post: (
    token: string,
    agentId: string,
    event: Record<string, unknown>,
    key?: string,
  ) => Promise<VaultAnswer['body']>;
  logged: () => Record<string, unknown>[];
  close: () => Promise<void>;
};

export type TestVaultOptions = {
  env?: Record<string, string>;
  clock?: Clock;
  dataDir?: string;
  /** One that an earlier vault of the same test has used; it is kept. */
  database?: TestDatabase;
  /** Keeps the data directory for a second vault. */
  keep?: boolean;
};

export const realm = 'main';

/** Without a limit of requests unless `env` says otherwise. */
export async function startTestVault(
  kind: VaultDatabase,
  options: TestVaultOptions = {},
): Promise<TestVault> {
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'gatehouse-vault-')));
  const database = options.database ?? (await createTestDatabase(kind));
  const clock = options.clock ?? systemClock;
  const { config, secrets } = readConfig(
    {
      VAULT_DATA_DIR: dataDir,
      VAULT_PORT: '0',
      VAULT_RATE_PER_MINUTE: '1000000',
      ...(database.url === null ? {} : { DATABASE_URL: database.url }),
      ...options.env,
    },
    dataDir,
  );
  const lines: string[] = [];
  const destination = { write: (line: string) => void lines.push(line) };
  const log = createLog({ level: 'debug', service: 'vault', destination });
  const opened = new AsyncDisposableStack();
  let vault: Vault;
  try {
    vault = await openVault(config, secrets, { clock, log }, opened);
    await vault.app.listen(config.listen);
  } catch (err) {
    await opened.disposeAsync();
    throw err;
  }
  const address = vault.app.server.address();
  if (typeof address !== 'object' || address === null) throw new Error('it does not listen');
  const url = `http://${address.address}:${address.port}`;
  const call = createCaller(`${url}/api/v1`);
  let isClosed = false;
  const close = async (): Promise<void> => {
    if (isClosed) return;
    isClosed = true;
    await opened.disposeAsync();
    if (options.database === undefined && options.keep !== true)
      await database[Symbol.asyncDispose]();
    if (options.keep !== true) await rm(dataDir, { recursive: true, force: true });
  };
  return {
    ...{ vault, url, dataDir, database, call, close },
    ...createPeople(vault, clock),
    async agent(token, name = newId('name')) {
      const { status, body, text } = await call(token, '/agents', { body: { name } });
      if (status !== 201) throw new Error(`no agent: ${text}`);
      return body.data.agent_id;
    },
    async post(token, agentId, event, key) {
      const headers = key === undefined ? {} : { 'idempotency-key': key };
      const answer = await call(token, `/agents/${agentId}/events`, { body: event, headers });
      if (answer.status !== 201) throw new Error(`not posted: ${answer.text}`);
      return answer.body.data;
    },
    logged: () => lines.map((line) => JSON.parse(line)),
    [Symbol.asyncDispose]: close,
  };
}

export function createCaller(base: string): TestVault['call'] {
  return async (token, path, { body, method, headers = {}, signal } = {}) => {
    const response = await fetch(`${base}${path}`, {
      method: method ?? (body === undefined ? 'GET' : 'POST'),
      headers: {
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined
        ? {}
        : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      ...(signal === undefined ? {} : { signal }),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, body: parsed(text) };
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

const yearMs = 365 * 86_400_000;

function createPeople(
  { database, accessTokens }: Vault,
  clock: Clock,
): Pick<TestVault, 'person' | 'key'> {
  return {
    async person(role, name = newId('user')) {
      const [userId, familyId, now] = [newId('user'), newId('family'), isoTime(clock.now())];
      await database.write(async ({ db }) => {
        const user = {
          userId,
          realm,
          name,
          displayName: name,
          role,
          passwordHash: null,
          version: 1,
        };
        const never = { disabledAt: null, lastSignInAt: null };
        await db
          .insertInto('users')
          .values({ ...user, ...never, createdAt: now, updatedAt: now })
          .execute();
        const family = {
          familyId,
          realm,
          userId,
          csrfSha256: '',
          address: '127.0.0.1',
          userAgent: '',
        };
        const times = { createdAt: now, expiresAt: isoTime(clock.now() + yearMs) };
        const open = { endedAt: null, endReason: null };
        await db
          .insertInto('refreshFamilies')
          .values({ ...family, ...times, ...open })
          .execute();
      });
      const { token } = await accessTokens.sign({ userId, familyId, realm });
      return { token, userId, familyId };
    },
    async key(
      ownerId,
      { scopes = [...keyScopes], agents, kind = 'prod_key', perMinute = 1_000_000 } = {},
    ) {
      const [keyId, token, now] = [newId('key'), mint(kind), isoTime(clock.now())];
      await database.write(async ({ db }) => {
        await db
          .insertInto('apiKeys')
          .values({
            ...{ keyId, realm, ownerId, name: keyId, kind: kind === 'prod_key' ? 'prod' : 'dev' },
            ...{
              scopes: JSON.stringify(scopes),
              agents: agents === undefined ? null : JSON.stringify(agents),
            },
            ...{ perMinute, burst: 10, version: 1, createdAt: now, updatedAt: now },
            ...{ expiresAt: null, revokedAt: null, lastUsedAt: null, lastUsedIp: null },
          })
          .execute();
        const secret = {
          secretSha256: digestOf(token),
          realm,
          keyId,
          createdAt: now,
          validUntil: null,
        };
        await db.insertInto('keySecrets').values(secret).execute();
      });
      return { token, keyId };
    },
  };
}
