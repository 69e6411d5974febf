// Whose token it is: looked up at every request, so that whoever is disabled or demoted is so at the next one.
import { isoTime } from '#shared/clock.ts';
import type { Clock } from '#shared/clock.ts';
import type { Log } from '#shared/log.ts';

import type { Rate } from '../access/rate-limit.ts';
import type { VaultDatabase } from '../database/vault-database.ts';
import type { Principal } from '../permission/principal.ts';
import type { AccessTokens } from './access-token.ts';
import { findIdentityOfKey, findIdentityOfUser, noteKeyUse } from './identity-store.ts';
import { digestOf, kindOf } from './secret-text.ts';

export type Identity = {
  principal: Principal;
  rate: Rate;
  /** The sign-in that a user's token comes from. */
  familyId: string | null;
  /** When the token ends, in milliseconds since the epoch; null for never. */
  expiresAtMs: number | null;
  token: string;
};

export type Identities = {
  /** Null for a token that is none, or not any more. */
  of: (token: string, address: string) => Promise<Identity | 'development_key' | null>;
  /** Gives whether the token would still be taken, with the rights that it had. It is looked up again after each `changed`. */
  watch: (identity: Identity, over: AbortSignal) => () => boolean;
  /** Users, keys or sign-ins are not what they were. Resolves when everything that is watched was looked up again. */
  changed: () => Promise<void>;
};

export type IdentityParts = {
  database: Pick<VaultDatabase, 'reads' | 'write'>;
  accessTokens: Pick<AccessTokens, 'verify'>;
  /** Development keys are refused. */
  isProduction: boolean;
  userRate: Rate;
  clock: Clock;
  log: Log;
};

const useNotedEveryMs = 60_000;

export function createIdentities(parts: IdentityParts): Identities {
  const { database, accessTokens, clock } = parts;
  const usesNoted = new Map<string, number>();
  const watches = new Set<() => Promise<void>>();

  const ofUser = async (token: string): Promise<Identity | null> => {
    const claims = await accessTokens.verify(token);
    if (claims === null) return null;
    const { familyId } = claims;
    const user = await findIdentityOfUser(database.reads, claims);
    if (user === null) return null;
    const { realm, userId, name, role } = user;
    return {
      principal: { kind: 'user', realm, userId, name, role },
      ...{ rate: parts.userRate, familyId, expiresAtMs: Date.parse(claims.expiresAt), token },
    };
  };
  const ofKey = async (token: string): Promise<Identity | null> => {
    const key = await findIdentityOfKey(database.reads, digestOf(token), isoTime(clock.now()));
    if (key === null) return null;
    const { realm, keyId, name, ownerId, ownerRole, scopes, agents, perMinute, burst } = key;
    return {
      principal: { kind: 'key', realm, keyId, name, ownerId, ownerRole, scopes, agents },
      rate: { perMinute, burst },
      familyId: null,
      expiresAtMs: key.endsAt === null ? null : Date.parse(key.endsAt),
      token,
    };
  };
  const noteUse = (keyId: string, address: string): void => {
    const nowMs = clock.monotonicMs();
    const noted = usesNoted.get(keyId);
    if (noted !== undefined && nowMs - noted < useNotedEveryMs) return;
    usesNoted.set(keyId, nowMs);
    const at = isoTime(clock.now());
    database
      .write(({ db }) => noteKeyUse(db, keyId, at, address))
      .catch((err: unknown) => parts.log.warn({ err }, 'the use of a key could not be noted'));
  };
  const of: Identities['of'] = async (token, address) => {
    const kind = kindOf(token);
    if (kind !== 'prod_key' && kind !== 'dev_key') return kind === null ? ofUser(token) : null;
    const identity = await ofKey(token);
    if (identity !== null && kind === 'dev_key' && parts.isProduction) return 'development_key';
    if (identity?.principal.kind === 'key') noteUse(identity.principal.keyId, address);
    return identity;
  };
  return {
    of,
    watch(identity, over) {
      const { token } = identity;
      const rights = rightsOf(identity.principal);
      let { expiresAtMs } = identity;
      let isGood = true;
      let isUnsure = false;
      const look = async (): Promise<void> => {
        isUnsure = false;
        try {
          const again = kindOf(token) === null ? await ofUser(token) : await ofKey(token);
          isGood = again !== null && rightsOf(again.principal) === rights;
          // A key that was rotated meanwhile has an end.
          if (again !== null) ({ expiresAtMs } = again);
        } catch {
          // A database that is away says nothing about the token: it is asked again.
          isUnsure = true;
        }
      };
      watches.add(look);
      over.addEventListener('abort', () => watches.delete(look), { once: true });
      if (over.aborted) watches.delete(look);
      return () => {
        if (expiresAtMs !== null && clock.now() >= expiresAtMs) return false;
        if (isUnsure) void look();
        return isGood;
      };
    },
    async changed() {
      await Promise.all([...watches].map((look) => look()));
    },
  };
}

function rightsOf(principal: Principal): string {
  if (principal.kind === 'user') return principal.role;
  return JSON.stringify([principal.ownerRole, principal.scopes, principal.agents]);
}
