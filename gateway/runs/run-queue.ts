// Who runs now and who waits: a line with as many places at its head as runs may be under way.
// An app at its own limit is passed by those behind it, and may fill a quarter of the line.
import { requestError } from '#shared/errors.ts';

import { createRunSlots } from './run-slots.ts';
import type { SlotEntry } from './run-slots.ts';

export type QueueEntry = SlotEntry & {
  appName: string;
  /** What waiting costs in memory. */
  bytes: number;
};

export type Ticket = {
  /** The turn has come already: there is nothing to wait for. */
  startsAtOnce: boolean;
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
  const slots = createRunSlots(concurrency);
  const waiting: Waiting[] = [];
  let typicalRunMs = assumedRunMs;

  const startNext = (): void => {
    for (;;) {
      const index = waiting.findIndex(slots.isFreeFor);
      const [next] = index === -1 ? [] : waiting.splice(index, 1);
      if (next === undefined) return;
      slots.take(next);
      next.start();
    }
  };
  const leaver = (free: () => void): (() => void) =>
    once(() => {
      free();
      startNext();
    });
  const wait = (entry: QueueEntry): Ticket => {
    const place = Promise.withResolvers<void>();
    const mine: Waiting = { ...entry, start: place.resolve, since: monotonicMs() };
    waiting.push(mine);
    return {
      startsAtOnce: false,
      turn: (signal) => untilAborted(place, signal),
      leave: leaver(() => {
        const index = waiting.indexOf(mine);
        if (index === -1) slots.giveBack(entry);
        else waiting.splice(index, 1);
      }),
    };
  };
  return {
    enter(entry) {
      if (slots.isFreeFor(entry)) {
        slots.take(entry);
        const leave = leaver(() => slots.giveBack(entry));
        return { startsAtOnce: true, turn: () => Promise.resolve(), leave };
      }
      const refused = refusalOf(waiting, entry, queueLimit);
      if (refused === null) return wait(entry);
      const waitMs = (typicalRunMs * (waiting.length + 1)) / concurrency;
      throw requestError(refused.code, refused.message, {
        retryAfterSecs: Math.min(retryAfterSecsMax, Math.ceil(waitMs / 1000)),
      });
    },
    sawDuration(ms) {
      typicalRunMs += (ms - typicalRunMs) / 8;
    },
    counts() {
      const oldestWaitingMs = waiting[0] === undefined ? null : monotonicMs() - waiting[0].since;
      return { running: slots.taken(), waiting: waiting.length, oldestWaitingMs };
    },
  };
}

function once(act: () => void): () => void {
  let done = false;
  return () => {
    if (!done) act();
    done = true;
  };
}

/** Why there is no place to wait, or null. */
function refusalOf(
  waiting: readonly Waiting[],
  entry: QueueEntry,
  queueLimit: number,
): { code: 'queue_full' | 'app_busy'; message: string } | null {
  const bytes = waiting.reduce((sum, each) => sum + each.bytes, entry.bytes);
  if (waiting.length >= queueLimit || (waiting.length > 0 && bytes > waitingBytesMax)) {
    return { code: 'queue_full', message: 'the queue of the gateway is full' };
  }
  const share = Math.max(1, Math.floor(queueLimit * shareOfAnApp));
  if (waiting.filter((each) => each.appId === entry.appId).length < share) return null;
  return { code: 'app_busy', message: `${entry.appName} already has ${share} runs waiting` };
}

async function untilAborted(place: PromiseWithResolvers<void>, signal: AbortSignal): Promise<void> {
  const abort = (): void => place.reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  if (signal.aborted) abort();
  await place.promise.finally(() => signal.removeEventListener('abort', abort));
}
