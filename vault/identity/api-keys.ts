// Keys that people make for programs. A key never has more rights than its owner has at the time: see can.ts.
import { isoTime } from '#shared/clock.ts';
import type { Clock } from '#shared/clock.ts';
import { requestError } from '#shared/errors.ts';
import type { NewId } from '#shared/ids.ts';
import type { KeyChange, KeyRequest, KeyView } from '#shared/vault-identity-api.ts';

import type { Rate } from '../access/rate-limit.ts';
import { findAgent } from '../agents/agent-store.ts';
import type { ApiKeyRow, Db } from '../database/tables.ts';
import type { WriteScope } from '../database/write-line.ts';
import { can } from '../permission/can.ts';
import { keyScopes, scopesBeyond } from '../permission/key-scope.ts';
import { isPermission } from '../permission/permission.ts';
import type { Permission } from '../permission/permission.ts';
import type { UserPrincipal } from '../permission/principal.ts';
import { roleHas } from '../permission/role.ts';
import type { Role } from '../permission/role.ts';
import { invalidField, notFound } from '../vault-errors.ts';
import { readAgents, readScopes } from './identity-store.ts';
import {
  endKeySecrets,
  findKey,
  insertKey,
  insertKeySecret,
  listKeyNames,
  updateKey,
} from './key-store.ts';
import { digestOf, mint } from './secret-text.ts';
import { findUser } from './user-store.ts';
import type { Check } from './users.ts';

/** The token is known only here. */
export type MadeKey = { row: ApiKeyRow; token: string };

/** What takes a scope runs inside a transaction. */
export type ApiKeys = {
  /** Throws `not_found`, also for the key of somebody else whose keys one may not manage. */
  find: (db: Db, person: UserPrincipal, keyId: string) => Promise<ApiKeyRow>;
  create: (scope: WriteScope, person: UserPrincipal, request: KeyRequest) => Promise<MadeKey>;
  change: (
    scope: WriteScope,
    person: UserPrincipal,
    keyId: string,
    change: KeyChange,
    check: Check,
  ) => Promise<ApiKeyRow>;
  /** The earlier secret works on until the overlap is over. */
  rotate: (
    scope: WriteScope,
    person: UserPrincipal,
    keyId: string,
    overlapSecs: number,
  ) => Promise<MadeKey & { previousValidUntil: string }>;
  revoke: (
    scope: WriteScope,
    person: UserPrincipal,
    keyId: string,
    check: Check,
  ) => Promise<ApiKeyRow>;
};

const keysMax = 100;

export function createApiKeys(parts: {
  realm: string;
  defaultRate: Rate;
  newId: NewId;
  clock: Clock;
}): ApiKeys {
  const { realm, defaultRate, newId, clock } = parts;
  const inSecs = (secs: number): string => isoTime(clock.now() + secs * 1000);
  const now = (): string => inSecs(0);

  const find: ApiKeys['find'] = async (db, person, keyId) => {
    const key = await findKey(db, realm, keyId);
    const isOwn = key?.ownerId === person.userId;
    if (key === null || !(isOwn || can(person, 'keys:manage'))) throw notFound('key');
    return key;
  };
  /** Gives how many keys there are. */
  const requireFreeName = async (db: Db, ownerId: string, name: string): Promise<number> => {
    const names = await listKeyNames(db, ownerId);
    if (!names.includes(name)) return names.length;
    const message = `there is a key named ${name} already`;
    throw requestError('conflict', message, { details: { field: 'name' } });
  };
  const requireAgents = async (db: Db, agentIds: readonly string[] | null): Promise<void> => {
    for (const agentId of agentIds ?? []) {
      if ((await findAgent(db, realm, agentId)) === null) {
        throw invalidField('agents', `there is no agent ${agentId}`);
      }
    }
  };
  /** More than everybody's own rate is for those who manage keys to give. */
  const requireRate = (
    person: UserPrincipal,
    { perMinute = 0, burst = 0 }: Record<keyof Rate, number | undefined>,
  ): void => {
    const isMore = perMinute > defaultRate.perMinute || burst > defaultRate.burst;
    if (!isMore || can(person, 'keys:manage')) return;
    const limit = `${defaultRate.perMinute} requests a minute and a burst of ${defaultRate.burst}`;
    throw requestError('forbidden', `more than ${limit} needs the permission keys:manage`);
  };
  const addSecret = async (db: Db, { keyId, kind }: ApiKeyRow): Promise<string> => {
    const token = mint(kind === 'prod' ? 'prod_key' : 'dev_key');
    const times = { createdAt: now(), validUntil: null };
    await insertKeySecret(db, { secretSha256: digestOf(token), realm, keyId, ...times });
    return token;
  };

  return {
    find,
    async create({ db }, person, request) {
      const { name, kind, agents = null, expires_in_secs: lifetimeSecs } = request;
      const rate = { perMinute: request.rate_per_minute, burst: request.rate_burst };
      const { userId: ownerId, role } = person;
      const scopes = scopesOf(request.scopes ?? keyScopes.filter((each) => roleHas(role, each)));
      requireScopes(role, scopes);
      requireRate(person, rate);
      await requireAgents(db, agents);
      const count = await requireFreeName(db, ownerId, name);
      if (count >= keysMax) {
        throw requestError('conflict', `there are ${keysMax} keys: revoke some first`);
      }
      const row: ApiKeyRow = {
        ...{ keyId: newId('key'), realm, ownerId, name, kind, scopes: JSON.stringify(scopes) },
        agents: agents === null ? null : JSON.stringify(agents),
        perMinute: rate.perMinute ?? defaultRate.perMinute,
        burst: rate.burst ?? defaultRate.burst,
        ...{ version: 1, createdAt: now(), updatedAt: now(), revokedAt: null },
        expiresAt: lifetimeSecs === undefined ? null : inSecs(lifetimeSecs),
        ...{ lastUsedAt: null, lastUsedIp: null },
      };
      await insertKey(db, row);
      return { row, token: await addSecret(db, row) };
    },
    async change({ db }, person, keyId, { name, scopes, agents, ...rates }, check) {
      const key = await find(db, person, keyId);
      check(key.version);
      if (name !== undefined && name !== key.name) await requireFreeName(db, key.ownerId, name);
      if (scopes !== undefined) {
        const owner = await findUser(db, realm, key.ownerId);
        requireScopes(owner?.role ?? 'viewer', scopesOf(scopes));
      }
      const rate = { perMinute: rates.rate_per_minute, burst: rates.rate_burst };
      requireRate(person, rate);
      await requireAgents(db, agents ?? null);
      const change = {
        name: name ?? key.name,
        scopes: scopes === undefined ? key.scopes : JSON.stringify(scopes),
        agents: agents === undefined ? key.agents : agents && JSON.stringify(agents),
        perMinute: rate.perMinute ?? key.perMinute,
        burst: rate.burst ?? key.burst,
        version: key.version + 1,
        updatedAt: now(),
      };
      await updateKey(db, keyId, change);
      return { ...key, ...change };
    },
    async rotate({ db }, person, keyId, overlapSecs) {
      const key = await find(db, person, keyId);
      const previousValidUntil = inSecs(overlapSecs);
      await endKeySecrets(db, keyId, previousValidUntil);
      return { row: key, token: await addSecret(db, key), previousValidUntil };
    },
    async revoke({ db }, person, keyId, check) {
      const key = await find(db, person, keyId);
      check(key.version);
      await updateKey(db, keyId, { revokedAt: now() });
      return key;
    },
  };
}

function scopesOf(texts: readonly string[]): Permission[] {
  return texts.map((text) => {
    if (isPermission(text)) return text;
    throw invalidField('scopes', `${text} is not a permission`);
  });
}

function requireScopes(ownerRole: Role, scopes: readonly Permission[]): void {
  const beyond = scopesBeyond(ownerRole, scopes);
  if (beyond.length === 0) return;
  const message = `the owner of the key cannot give it ${beyond.join(', ')}`;
  throw requestError('forbidden', message, { details: { field: 'scopes', scopes: beyond } });
}

export function keyView(row: ApiKeyRow): KeyView {
  return {
    key_id: row.keyId,
    owner_id: row.ownerId,
    name: row.name,
    kind: row.kind,
    scopes: readScopes(row.scopes),
    agents: readAgents(row.agents),
    rate_per_minute: row.perMinute,
    rate_burst: row.burst,
    created_at: row.createdAt,
    updated_at: row.updatedAt,
    expires_at: row.expiresAt,
    last_used_at: row.lastUsedAt,
    last_used_ip: row.lastUsedIp,
    version: row.version,
  };
}
