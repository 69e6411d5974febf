// What an admin does with apps: each change and its audit row are one transaction.
import type { Clock } from '#shared/clock.ts';
import { isoTime } from '#shared/clock.ts';
import type { DatabaseWriter } from '#shared/database-writer.ts';
import { requestError } from '#shared/errors.ts';

import type { AuditEntry, AuditLog } from '../audit/audit-log.ts';
import type { AppLookup } from './app-lookup.ts';
import type { AppStore, ListedApp, StoredApp } from './app-store.ts';
import { checkNewApp } from './new-app.ts';
import type { AppLimits, NewApp } from './new-app.ts';
import { mintToken, tokenDigest } from './token.ts';

/** The only time a token can be read. */
export type IssuedToken = {
  name: string;
  token: string;
  ipCidrs: string[];
  createdAt: string;
  expiresAt: string | null;
};

export type AppPage = { items: ListedApp[]; next: string | null };

export type AppRegistry = {
  /** Throws a 400 for what the gateway's own limits do not allow. */
  create(app: NewApp, adminAddress: string, onStored?: OnStored): Promise<IssuedToken>;
  /** Gives a further token; the earlier ones end after the overlap. */
  rotate(
    name: string,
    overlapSecs: number,
    adminAddress: string,
    onStored?: OnStored,
  ): Promise<IssuedToken>;
  /** What is not named stays as it is. Throws a 400 as `create` does. */
  change(name: string, changes: AppChanges, adminAddress: string): Promise<ListedApp>;
  revoke(name: string, adminAddress: string): Promise<void>;
  list(after: string | undefined, limit: number): AppPage;
};

/** Runs in the transaction of the token: what it throws undoes it. */
export type OnStored = () => void;

export type AppChanges = Partial<
  Pick<
    StoredApp,
    'ipCidrs' | 'models' | 'maxConcurrent' | 'timeoutSecsMax' | 'maxQueued' | 'workspaces'
  >
>;

export type AppRegistryParts = {
  store: AppStore;
  writer: DatabaseWriter;
  audit: AuditLog;
  clock: Clock;
  limits: AppLimits;
  lookup: AppLookup;
  /** After the change is committed. */
  onChanged: () => void;
  onRevoked: (appId: number) => void;
};

export function createAppRegistry(parts: AppRegistryParts): AppRegistry {
  const { store, writer, audit, clock, lookup } = parts;

  function issueToken(app: StoredApp): IssuedToken {
    const now = clock.now();
    const token = mintToken();
    const createdAt = isoTime(now);
    const expiresAt =
      app.tokenLifetimeSecs === null ? null : isoTime(now + app.tokenLifetimeSecs * 1000);
    store.insertToken({ digest: tokenDigest(token), appId: app.appId, createdAt, expiresAt });
    return { name: app.name, token, ipCidrs: app.ipCidrs, createdAt, expiresAt };
  }

  function existingApp(name: string): StoredApp {
    const app = store.findApp(name);
    if (app === null) throw requestError('not_found', 'there is no app of this name');
    return app;
  }

  return {
    create: async (newApp, adminAddress, onStored = () => {}) => {
      checkNewApp(newApp, parts.limits);
      return writer.write(() => {
        if (store.findApp(newApp.name) !== null) {
          throw requestError('conflict', `there is an app of the name ${newApp.name} already`);
        }
        const draft = { ...newApp, createdAt: isoTime(clock.now()) };
        const app = { ...draft, appId: store.insertApp(draft) };
        const issued = issueToken(app);
        audit.append(createdEntry(app, issued, adminAddress));
        onStored();
        return issued;
      });
    },
    rotate: (name, overlapSecs, adminAddress, onStored = () => {}) =>
      writer.write(() => {
        const app = existingApp(name);
        lookup.forgetAll();
        store.endTokens(app.appId, isoTime(clock.now() + overlapSecs * 1000));
        const issued = issueToken(app);
        const details = { overlap_secs: overlapSecs, expires_at: issued.expiresAt };
        audit.append({ action: 'token.rotated', app: name, address: adminAddress, details });
        onStored();
        return issued;
      }),
    change: async (name, changes, adminAddress) => {
      const unchanged = { ipCidrs: [], models: null, timeoutSecsMax: null, workspaces: [] };
      checkNewApp({ ...unchanged, ...changes }, parts.limits);
      const changed = await writer.write(() => {
        const before = existingApp(name);
        const after = { ...before, ...changes };
        lookup.forgetAll();
        store.changeApp(after);
        const details = { before: limitsOf(before), after: limitsOf(after) };
        audit.append({ action: 'token.changed', app: name, address: adminAddress, details });
        return store.listApps(after.appId + 1, 1)[0];
      });
      parts.onChanged();
      if (changed?.name !== name) throw new Error(`the app ${name} is gone after its change`);
      return changed;
    },
    revoke: async (name, adminAddress) => {
      const { appId } = await writer.write(() => {
        const app = existingApp(name);
        lookup.forgetAll();
        store.revokeApp(app.appId, isoTime(clock.now()));
        audit.append({ action: 'token.revoked', app: name, address: adminAddress, details: {} });
        return app;
      });
      parts.onRevoked(appId);
    },
    list: (after, limit) => {
      const before = after === undefined ? Number.MAX_SAFE_INTEGER : Number(after);
      // One more than asked for tells whether there is a next page.
      const apps = store.listApps(before, limit + 1);
      const items = apps.slice(0, limit);
      return { items, next: apps.length > limit ? String(items.at(-1)?.appId) : null };
    },
  };
}

function createdEntry(app: StoredApp, issued: IssuedToken, address: string): AuditEntry {
  const details = { ...limitsOf(app), expires_at: issued.expiresAt };
  return { action: 'token.created', app: app.name, address, details };
}

function limitsOf(app: StoredApp) {
  const { ipCidrs, models, maxConcurrent, timeoutSecsMax, maxQueued, workspaces } = app;
  return {
    ip_cidrs: ipCidrs,
    models,
    max_concurrent: maxConcurrent,
    timeout_secs_max: timeoutSecsMax,
    max_queued: maxQueued,
    workspaces,
  };
}
