// Who runs now and who waits: a line with as many places at its head as runs may be under way.
// An app at its own limit is passed by those behind it, and may fill a quarter of the line.
import { requestError } from '#shared/errors.ts';
import type { AppError } from '#shared/errors.ts';

export type QueueEntry = {
  appId: number;
  appName: string;
  /** Runs of this app at one time; null for no limit of its own. */
  maxConcurrent: number | null;
  /** What waiting costs in memory. */
  bytes: number;
};

export type Ticket = {
  /** Resolves when the run may start; rejects with the signal's reason when it aborts before that. */
  turn: (signal: AbortSignal) => Promise<void>;
  /** Gives the place back, or leaves the line. To be called once, whatever happened. */
  leave: () => void;
};

export type RunQueue = {
  /** Throws `queue_full` or `app_busy` when there is no place to wait. */
  enter: (entry: QueueEntry) => Ticket;
  /** How long a run took, for telling others when to come back. */
  sawDuration: (ms: number) => void;
  counts: () => { running: number; waiting: number; oldestWaitingMs: number | null };
};

type Waiting = QueueEntry & { start: () => void; since: number };

const shareOfAnApp = 1 / 4;
const waitingBytesMax = 64 * 2 ** 20;
const retryAfterSecsMax = 300;
const assumedRunMs = 5000;

export function createRunQueue(options: {
  concurrency: number;
  queueLimit: number;
  monotonicMs: () => number;
}): RunQueue {
  const { concurrency, queueLimit, monotonicMs } = options;
  const running = new Map<number, number>();
  const waiting: Waiting[] = [];
  let runningCount = 0;
  let typicalRunMs = assumedRunMs;

  const hasPlaceFor = (entry: QueueEntry): boolean =>
    runningCount < concurrency &&
    (running.get(entry.appId) ?? 0) < (entry.maxConcurrent ?? Number.POSITIVE_INFINITY);
  const start = (entry: QueueEntry): void => {
    runningCount += 1;
    running.set(entry.appId, (running.get(entry.appId) ?? 0) + 1);
  };
  const end = (entry: QueueEntry): void => {
    runningCount -= 1;
    const left = (running.get(entry.appId) ?? 1) - 1;
    if (left > 0) running.set(entry.appId, left);
    else running.delete(entry.appId);
  };
  const startNext = (): void => {
    for (;;) {
      const index = waiting.findIndex(hasPlaceFor);
      const [next] = index === -1 ? [] : waiting.splice(index, 1);
      if (next === undefined) return;
      start(next);
      next.start();
    }
  };
  const retryAfterSecs = (): number => {
    const ms = (typicalRunMs * (waiting.length + 1)) / concurrency;
    return Math.min(retryAfterSecsMax, Math.max(1, Math.ceil(ms / 1000)));
  };
  const refusal = (entry: QueueEntry): AppError | null => {
    const bytes = waiting.reduce((sum, each) => sum + each.bytes, entry.bytes);
    if (waiting.length >= queueLimit || (waiting.length > 0 && bytes > waitingBytesMax)) {
      return requestError('queue_full', 'the queue of the gateway is full', {
        retryAfterSecs: retryAfterSecs(),
      });
    }
    const share = Math.max(1, Math.floor(queueLimit * shareOfAnApp));
    if (waiting.filter((each) => each.appId === entry.appId).length < share) return null;
    return requestError('app_busy', `${entry.appName} already has ${share} runs waiting`, {
      retryAfterSecs: retryAfterSecs(),
    });
  };

  return {
    enter(entry) {
      if (hasPlaceFor(entry) && !waiting.some(hasPlaceFor)) {
        start(entry);
        return { turn: () => Promise.resolve(), leave: leaver(() => end(entry)) };
      }
      const refused = refusal(entry);
      if (refused !== null) throw refused;
      const place = Promise.withResolvers<void>();
      const mine: Waiting = { ...entry, start: place.resolve, since: monotonicMs() };
      waiting.push(mine);
      return {
        async turn(signal) {
          const abort = (): void => place.reject(signal.reason);
          signal.addEventListener('abort', abort, { once: true });
          if (signal.aborted) abort();
          await place.promise.finally(() => signal.removeEventListener('abort', abort));
        },
        leave: leaver(() => {
          const index = waiting.indexOf(mine);
          if (index === -1) end(entry);
          else waiting.splice(index, 1);
        }),
      };
    },
    sawDuration(ms) {
      typicalRunMs += (ms - typicalRunMs) / 8;
    },
    counts: () => ({
      running: runningCount,
      waiting: waiting.length,
      oldestWaitingMs: waiting[0] === undefined ? null : monotonicMs() - waiting[0].since,
    }),
  };

  function leaver(free: () => void): () => void {
    let left = false;
    return () => {
      if (left) return;
      left = true;
      free();
      startNext();
    };
  }
}
