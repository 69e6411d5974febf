// A request with an Idempotency-Key is done once: whoever sends it again within a day gets the answer of the first.
import { isoTime } from '#shared/clock.ts';
import type { Clock } from '#shared/clock.ts';
import { idempotencyMismatch, inProgress } from '#shared/idempotency-key.ts';

import type { IdempotencyPlace, IdempotencyStore } from './idempotency-store.ts';

/** A request that carries a key. */
export type KeyedRequest = { place: IdempotencyPlace; requestSha256: string };

export type KeyedAnswer = KeyedRequest & {
  /** Null: the answer is that of the run, once it has ended. */
  answer: { statusCode: number; body: string } | null;
};

export type FirstAnswer =
  | { kind: 'answer'; statusCode: number; body: string }
  /** The answer is that of this run. */
  | { kind: 'run'; runId: string; runSeq: number };

export type IdempotencyKeys = {
  /** Whether this key was used, for whatever request. */
  isKnown: (place: IdempotencyPlace) => boolean;
  /** What the same request got before; null for a new one. Throws `idempotency_mismatch` for another request under the same key. */
  recall: (request: KeyedRequest) => FirstAnswer | null;
  /** Inside the transaction of what the request does. Throws `conflict` when another one was quicker. */
  keep: (answer: KeyedAnswer, runSeq: number | null) => void;
  /** Inside a transaction: at most `limit` of the expired ones go; gives how many. */
  prune: (limit: number) => number;
};

const keptMs = 24 * 60 * 60_000;

export function createIdempotencyKeys(store: IdempotencyStore, clock: Clock): IdempotencyKeys {
  return {
    isKnown: (place) => store.find(place) !== null,
    recall({ place, requestSha256 }) {
      const known = store.find(place);
      if (known === null) return null;
      if (known.requestSha256 !== requestSha256) throw idempotencyMismatch();
      const { statusCode, body, runId, runSeq } = known;
      if (statusCode !== null && body !== null) return { kind: 'answer', statusCode, body };
      if (runId === null || runSeq === null) return null;
      return { kind: 'run', runId, runSeq };
    },
    keep({ place, requestSha256, answer }, runSeq) {
      const quicker = store.find(place);
      if (quicker !== null) throw inProgress(quicker.runId ?? undefined);
      store.insert(place, {
        requestSha256,
        runSeq,
        statusCode: answer?.statusCode ?? null,
        body: answer?.body ?? null,
        createdAt: isoTime(clock.now()),
      });
    },
    prune: (limit) => store.removeBefore(isoTime(clock.now() - keptMs), limit),
  };
}
