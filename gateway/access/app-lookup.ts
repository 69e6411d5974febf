// From a token to its app: asked on every request.
import type { Clock } from '#shared/clock.ts';
import { createAddressList } from '#shared/door/cidr.ts';

import type { AppStore, StoredApp, TokenState } from './app-store.ts';
import { isWellFormedToken, tokenDigest } from './token.ts';

/** What an app may do, for whoever serves its request. */
export type AppAccess = {
  appId: number;
  name: string;
  models: string[] | null;
  maxConcurrent: number | null;
  timeoutSecsMax: number | null;
  maxQueued: number | null;
  /** Names of those it may use. */
  workspaces: string[];
};

export type FoundApp = {
  access: AppAccess;
  mayComeFrom(address: string): boolean;
  digest: string;
  lastUsedAt: string | null;
  expiresAt: string | null;
};

export type AppLookup = {
  /** Null for a token that is unknown, expired or revoked, and for any other text. */
  find(token: string): FoundApp | null;
  /** How many runs an app may have under way; null for no limit of its own. */
  maxConcurrentOf(appId: number): number | null;
  /** To be called inside the transaction that changes an app or a token. */
  forgetAll(): void;
};

type KnownToken = { app: FoundApp; endsAt: number; readAt: number };

const maxKnownTokens = 1000;
// Changes of our own are seen at once, those another process makes to the file after this.
const knownForMs = 1000;

export function createAppLookup(store: AppStore, clock: Clock): AppLookup {
  // A read of the database costs more than all the rest of the door.
  const knownTokens = new Map<string, KnownToken>();
  const knownCaps = new Map<number, number | null>();

  function read(digest: string): KnownToken | null {
    const token = store.findToken(digest);
    const app = token === null ? null : store.readApp(token.appId);
    if (token === null || app === null) return null;
    const endsAt = token.expiresAt === null ? Infinity : Date.parse(token.expiresAt);
    const found = foundApp(app, digest, token);
    if (knownTokens.size >= maxKnownTokens) knownTokens.clear();
    const known = { app: found, endsAt, readAt: clock.monotonicMs() };
    knownTokens.set(digest, known);
    return known;
  }

  function recall(digest: string): KnownToken | null {
    const known = knownTokens.get(digest);
    return known !== undefined && clock.monotonicMs() - known.readAt < knownForMs ? known : null;
  }

  return {
    find: (token) => {
      const digest = tokenDigest(token);
      const known = recall(digest) ?? (isWellFormedToken(token) ? read(digest) : null);
      return known !== null && clock.now() < known.endsAt ? known.app : null;
    },
    maxConcurrentOf(appId) {
      const known = knownCaps.get(appId);
      if (known !== undefined) return known;
      const cap = store.readApp(appId)?.maxConcurrent ?? null;
      if (knownCaps.size >= maxKnownTokens) knownCaps.clear();
      knownCaps.set(appId, cap);
      return cap;
    },
    forgetAll: () => {
      knownTokens.clear();
      knownCaps.clear();
    },
  };
}

function foundApp(app: StoredApp, digest: string, { lastUsedAt, expiresAt }: TokenState): FoundApp {
  const { appId, name, models, maxConcurrent, timeoutSecsMax, maxQueued, workspaces } = app;
  const addresses = createAddressList(app.ipCidrs);
  return {
    access: { appId, name, models, maxConcurrent, timeoutSecsMax, maxQueued, workspaces },
    mayComeFrom: (address) => app.ipCidrs.length === 0 || addresses.includes(address),
    digest,
    lastUsedAt,
    expiresAt,
  };
}
