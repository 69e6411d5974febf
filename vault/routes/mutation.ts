// How every route that changes something does it: one transaction with the change, its event, its audit row and the answer that a
// repetition of the request gets.
import type { FastifyReply, FastifyRequest } from 'fastify';

import { isoTime } from '#shared/clock.ts';
import type { Clock } from '#shared/clock.ts';
import {
  answeredOnce,
  idempotencyMismatch,
  readIdempotencyKey,
  requestDigest,
} from '#shared/idempotency-key.ts';
import type { JsonValue } from '#shared/json-value.ts';
import { answer } from '#shared/vault-api.ts';

import { idOf } from '../access/vault-door.ts';
import type { VaultDoor } from '../access/vault-door.ts';
import type { AuditActor, AuditLog } from '../audit/audit-log.ts';
import type { Db } from '../database/tables.ts';
import type { VaultDatabase } from '../database/vault-database.ts';
import type { WriteScope } from '../database/write-line.ts';
import { findIdempotencyKey, insertIdempotencyKey } from '../idempotency/idempotency-store.ts';
import type { IdempotencyPlace } from '../idempotency/idempotency-store.ts';
import type { Principal } from '../permission/principal.ts';

export type Mutation<T> = {
  /** Such as `agent.created`. */
  action: string;
  /** Of a good answer; 204 has no body. */
  statusCode: 200 | 201 | 204;
  /** The answer holds a secret: it is not kept, and a repetition is told so. */
  isShownOnce?: boolean;
  /** What it makes keeps the Idempotency-Key itself, and `work` looks for it. */
  isKeptByItself?: boolean;
  /** The request holds a password: its digest, which is quick to guess at, is not kept, and a repetition is done as a new request. */
  isNotKept?: boolean;
  /** What tells the request from another one under its key; the body, where this is not said. */
  told?: JsonValue;
  /** What has to have happened before whoever asked is answered, once it is committed or may be. Never rejects. */
  settled?: () => Promise<void>;
  /** Runs in the transaction, perhaps twice. What it throws undoes everything. */
  work: (scope: WriteScope) => Promise<Change<T>>;
};

export type Change<T> = {
  data: T;
  /** What was changed, such as `agent:agent_…`. */
  resource: string | null;
  details?: Readonly<Record<string, JsonValue>>;
  /** Of a thing with If-Match: its version now. */
  version?: number;
  /** Who did it, where no token says so. */
  actor?: AuditActor;
  /** Nothing that has to be written down: a report of the same state, a repetition. */
  isUnaudited?: boolean;
  headers?: AnswerHeaders;
};

type AnswerHeaders = Readonly<Record<string, string | string[]>>;

export type Mutations = {
  /** Sends the answer. */
  run: <T>(
    request: FastifyRequest,
    reply: FastifyReply,
    mutation: Mutation<T>,
  ) => Promise<FastifyReply>;
  /** Whether its Idempotency-Key has been used: `run` will then answer what the first one got. */
  isRepeated: (request: FastifyRequest) => Promise<boolean>;
};

type Outcome = {
  statusCode: number;
  body: string;
  headers: AnswerHeaders;
  isReplayed: boolean;
};

export function createMutations(parts: {
  realm: string;
  database: Pick<VaultDatabase, 'reads' | 'write'>;
  audit: AuditLog;
  door: VaultDoor;
  clock: Clock;
}): Mutations {
  const { realm, database, audit, door, clock } = parts;

  const remember = async (db: Db, keyed: Keyed, outcome: Outcome, body: string | null) =>
    insertIdempotencyKey(db, {
      ...{ realm, ...keyed.place, requestSha256: keyed.requestSha256 },
      ...{ statusCode: outcome.statusCode, headers: JSON.stringify(outcome.headers), body },
      createdAt: isoTime(clock.now()),
    });

  return {
    async run(request, reply, mutation) {
      const { action, statusCode, isShownOnce = false } = mutation;
      const { isKeptByItself = false, isNotKept = false } = mutation;
      if (isNotKept) readIdempotencyKey(request.headers['idempotency-key']);
      const principal = door.knownPrincipalOf(request);
      const address = door.addressOf(request);
      const place = isKeptByItself || isNotKept ? null : keyedPlace(request, principal, address);
      const keyed = place && { place, requestSha256: digestOf(request, mutation.told) };
      const doIt = async (scope: WriteScope): Promise<Outcome> => {
        const earlier = keyed === null ? null : await replay(scope.db, keyed);
        if (earlier !== null) return earlier;
        const change = await mutation.work(scope);
        const { resource, details = {}, version, isUnaudited = false } = change;
        if (!isUnaudited) {
          const actor = change.actor ?? actorOf(principal);
          await audit.append(scope.db, { action, actor, address, resource, details });
        }
        const body = statusCode === 204 ? '' : JSON.stringify(answer(change.data));
        const headers = {
          ...change.headers,
          ...(version === undefined ? {} : { etag: etagOf(version) }),
        };
        const done = { statusCode, body, headers, isReplayed: false };
        if (keyed !== null) await remember(scope.db, keyed, done, isShownOnce ? null : body);
        return done;
      };
      return send(reply, await settle(database.write(doIt), mutation.settled));
    },
    async isRepeated(request) {
      const principal = door.knownPrincipalOf(request);
      const place = keyedPlace(request, principal, door.addressOf(request));
      return place !== null && (await findIdempotencyKey(database.reads, place)) !== null;
    },
  };
}

/** Also when it failed: whether a commit whose answer got lost has happened cannot be told. */
async function settle<T>(
  writing: Promise<T>,
  settled: (() => Promise<void>) | undefined,
): Promise<T> {
  try {
    return await writing;
  } finally {
    await settled?.();
  }
}

type Keyed = { place: IdempotencyPlace; requestSha256: string };

/** What the same request got before; null for a new one. */
async function replay(db: Db, keyed: Keyed): Promise<Outcome | null> {
  const known = await findIdempotencyKey(db, keyed.place);
  if (known === null) return null;
  if (known.requestSha256 !== keyed.requestSha256) throw idempotencyMismatch();
  const { statusCode, body } = known;
  if (body === null) throw answeredOnce();
  const headers: AnswerHeaders = JSON.parse(known.headers ?? '{}');
  return { statusCode, body, headers, isReplayed: true };
}

/** Null without an Idempotency-Key. */
function keyedPlace(
  request: FastifyRequest,
  principal: Principal | null,
  address: string,
): IdempotencyPlace | null {
  const key = readIdempotencyKey(request.headers['idempotency-key']);
  if (key === null) return null;
  const path = `${request.method} ${request.url.split('?', 1)[0]}`;
  const scope = principal === null ? `address:${address}` : idOf(principal);
  return { scope, path, key };
}

function digestOf(request: FastifyRequest, told: JsonValue = null): string {
  if (told !== null) return requestDigest(told);
  const body: JsonValue = JSON.parse(JSON.stringify(request.body ?? null));
  return requestDigest(body);
}

export function actorOf(principal: Principal | null): AuditActor {
  if (principal === null) return { kind: 'nobody', id: null, name: null };
  return { kind: principal.kind, id: idOf(principal), name: principal.name };
}

export function etagOf(version: number): string {
  return `"${version}"`;
}

function send(
  reply: FastifyReply,
  { statusCode, body, headers, isReplayed }: Outcome,
): FastifyReply {
  reply.code(statusCode).headers(headers);
  if (isReplayed) reply.header('idempotent-replayed', 'true');
  if (statusCode === 204) return reply.send();
  // A string is sent as it is: it is what a repetition gets, byte for byte.
  return reply.header('content-type', 'application/json; charset=utf-8').send(body);
}
