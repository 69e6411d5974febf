// The idempotency_keys table.
import type { Database } from '#shared/database.ts';

export type IdempotencyPlace = { scope: string; path: string; key: string };

export type StoredKey = {
  requestSha256: string;
  /** The run that was started under this key; null for a request of another kind. */
  runId: string | null;
  runSeq: number | null;
  /** Null: the answer is that of the run. */
  statusCode: number | null;
  body: string | null;
};

export type IdempotencyStore = {
  find: (place: IdempotencyPlace) => StoredKey | null;
  insert: (
    place: IdempotencyPlace,
    entry: Omit<StoredKey, 'runId'> & { createdAt: string },
  ) => void;
  removeBefore: (createdAt: string, limit: number) => number;
};

export function createIdempotencyStore(db: Database): IdempotencyStore {
  const find = db.prepare<[IdempotencyPlace], StoredKey>(
    `select request_sha256 as requestSha256, run_id as runId, k.run_seq as runSeq,
       status_code as statusCode, body
     from idempotency_keys k left join runs r on r.run_seq = k.run_seq
     where scope = @scope and path = @path and key = @key`,
  );
  const insert = db.prepare<[IdempotencyPlace & Omit<StoredKey, 'runId'> & { createdAt: string }]>(
    `insert into idempotency_keys
       (scope, path, key, request_sha256, run_seq, status_code, body, created_at)
     values (@scope, @path, @key, @requestSha256, @runSeq, @statusCode, @body, @createdAt)`,
  );
  const removeBefore = db.prepare<[string, number]>(
    `delete from idempotency_keys where (scope, path, key) in
       (select scope, path, key from idempotency_keys where created_at < ? order by created_at limit ?)`,
  );
  return {
    find: (place) => find.get(place) ?? null,
    insert: (place, entry) => void insert.run({ ...place, ...entry }),
    removeBefore: (createdAt, limit) => removeBefore.run(createdAt, limit).changes,
  };
}
