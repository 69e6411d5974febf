// Who runs now and who waits: as many places as runs may be under way, and a line before them that has room for so many.
import { requestError } from '#shared/errors.ts';
import type { AppError } from '#shared/errors.ts';

import { createFairLine } from './fair-line.ts';
import type { StartRule, WaitingRun } from './fair-line.ts';
import type { RunDurations } from './run-durations.ts';
import { createRunSlots } from './run-slots.ts';
import type { Occupant } from './run-slots.ts';

export type Applicant = {
  appId: number;
  appName: string;
  /** Of the app's runs, how many may wait; null for the gateway's own limit. */
  maxQueued: number | null;
  sessionSeq: number | null;
  bytes: number;
};

export type QueueOutlook = {
  /** 1 for the next to start, 0 for one that has its turn. */
  position: number;
  /** Until its answer. */
  estimateSecs: number;
  /** No run starts before, in epoch milliseconds; null when nothing but the line is in the way. */
  waitsUntil: number | null;
};

/** A place for a run that is being written down; to be used or given back, whatever happens. */
export type QueuePlace = {
  /** It has its turn already. */
  startsAtOnce: boolean;
  outlook: QueueOutlook;
  /** The run waits from here on. Only for one that does not start at once. */
  take: (run: WaitingRun) => void;
  giveBack: () => void;
};

export type QueueCounts = {
  running: number;
  waiting: number;
  oldestWaitingMs: number | null;
  /** Since somebody got a turn last. */
  idleMs: number;
  waitingByApp: Map<number, number>;
};

export type RunQueue = {
  /** Throws `queue_full` or `app_busy` when there is no place. */
  reserve: (applicant: Applicant) => QueuePlace;
  /** One that was accepted before: it has its place whatever the limits. */
  restore: (run: WaitingRun) => void;
  /** The next one, with its turn; null when nobody may start. */
  next: () => WaitingRun | null;
  /** Whether somebody waits who has a place: then only room on the machine can be missing. */
  couldStart: () => boolean;
  /** A turn is over. */
  giveBack: (run: Occupant) => void;
  /** Takes a run out of the line; null when it is not in it. */
  remove: (runId: string) => WaitingRun | null;
  /** Null for one that does not wait. */
  outlookOf: (runId: string) => QueueOutlook | null;
  /** Costs the same however many wait. */
  counts: () => QueueCounts;
  countsOf: (appId: number) => { running: number; waiting: number };
  waiting: () => Iterable<WaitingRun>;
};

export type RunQueueOptions = {
  concurrency: number;
  queueLimit: number;
  /** Null for a quarter of the line. */
  appQueueLimit: number | null;
  capOf: (appId: number) => number | null;
  /** Whether one more run may start now, and this machine can carry it. */
  hasRoom: () => boolean;
  /** Whether runs may start as they come; else each waits until it is given its turn. */
  isOpen: () => boolean;
  /** Until when nothing starts, in epoch milliseconds and from now; null when it is not parked. */
  parked: () => { until: number; leftMs: number } | null;
  durations: RunDurations;
  monotonicMs: () => number;
};

const shareOfAnApp = 1 / 4;
/** Requests that wait in memory. */
const waitingBytesMax = 64 * 2 ** 20;
const retryAfterSecsMax = 300;

export function createRunQueue(options: RunQueueOptions): RunQueue {
  const { concurrency, queueLimit, capOf, durations, monotonicMs } = options;
  const slots = createRunSlots(concurrency, capOf);
  const line = createFairLine();
  const mayStart: StartRule = {
    app: slots.isFreeFor,
    run: ({ sessionSeq }) => slots.isSessionFree(sessionSeq),
  };
  /** Reserved, not yet in the line. */
  const reserved = new Map<number, number>();
  const reservedSessions = createTally();
  let reservedBytes = 0;
  let lastTurnAt = monotonicMs();
  const takeTurn = (run: Occupant): void => {
    slots.take(run);
    lastTurnAt = monotonicMs();
  };
  /** Whoever waits and could start goes first, and who comes next in a conversation is being written down. */
  const isFirst = ({ appId, sessionSeq }: Occupant): boolean =>
    slots.isFreeFor(appId) &&
    slots.isSessionFree(sessionSeq) &&
    !reservedSessions.has(sessionSeq) &&
    !line.has(mayStart);
  const reservedInAll = (): number => reserved.values().reduce((sum, each) => sum + each, 0);
  const waitingOf = (appId: number): number => line.countOf(appId) + (reserved.get(appId) ?? 0);

  const outlook = (appId: number, nth: number): QueueOutlook => {
    let before = 0;
    let waitMs = 0;
    for (const [app, runs] of line.aheadOf(appId, nth)) {
      before += runs;
      waitMs += (runs * durations.typicalMs(app)) / concurrency;
    }
    const underWayMs = slots.taken() < concurrency ? 0 : durations.typicalMs(appId) / 2;
    const parked = options.parked();
    const beginsMs = Math.max(underWayMs, parked?.leftMs ?? 0);
    return {
      position: before + 1,
      estimateSecs: Math.ceil((waitMs + beginsMs + durations.typicalMs(appId)) / 1000),
      waitsUntil: parked?.until ?? null,
    };
  };
  const retryAfterSecs = (appId: number, runsAhead: number): number =>
    Math.min(
      retryAfterSecsMax,
      Math.max(1, Math.ceil((durations.typicalMs(appId) * (runsAhead + 1)) / concurrency / 1000)),
    );

  /** Why there is no place to wait, or null. */
  const refusalOf = ({ appId, appName, maxQueued, bytes }: Applicant): AppError | null => {
    const waiting = line.count() + reservedInAll();
    const ownLimit = maxQueued ?? options.appQueueLimit ?? shareOf(queueLimit);
    const own = waitingOf(appId);
    if (own >= ownLimit) {
      const message = `${appName} has ${own} runs waiting; its limit is ${ownLimit}`;
      return requestError('app_busy', message, { retryAfterSecs: retryAfterSecs(appId, own) });
    }
    const bytesInAll = line.bytes() + reservedBytes + bytes;
    const isTooLarge = bytes > 0 && bytesInAll > waitingBytesMax && bytesInAll > bytes;
    if (waiting < queueLimit && !isTooLarge) return null;
    const message = `the queue of the gateway is full: ${waiting} runs are waiting`;
    return requestError('queue_full', message, { retryAfterSecs: retryAfterSecs(appId, waiting) });
  };
  const reserve = ({ appId, sessionSeq, bytes }: Applicant): (() => void) => {
    reserved.set(appId, (reserved.get(appId) ?? 0) + 1);
    reservedSessions.add(sessionSeq);
    reservedBytes += bytes;
    return once(() => {
      reservedSessions.remove(sessionSeq);
      const left = (reserved.get(appId) ?? 0) - 1;
      if (left > 0) reserved.set(appId, left);
      else reserved.delete(appId);
      reservedBytes -= bytes;
    });
  };

  return {
    reserve(applicant) {
      const { appId, sessionSeq } = applicant;
      const isNext = isFirst(applicant) && options.hasRoom();
      if (isNext && options.isOpen()) {
        takeTurn(applicant);
        line.tookTurn(appId);
        const estimateSecs = Math.ceil(durations.typicalMs(appId) / 1000);
        return {
          startsAtOnce: true,
          outlook: { position: 0, estimateSecs, waitsUntil: null },
          take: () => {
            throw new Error('a run that has its turn does not wait');
          },
          giveBack: once(() => slots.giveBack({ appId, sessionSeq })),
        };
      }
      // One that gets its turn in a moment needs no room in the line, also where there is no line at all.
      const refusal = isNext ? null : refusalOf(applicant);
      if (refusal !== null) throw refusal;
      const release = reserve(applicant);
      return {
        startsAtOnce: false,
        outlook: outlook(appId, waitingOf(appId)),
        take(run) {
          release();
          line.add(run);
        },
        giveBack: release,
      };
    },
    restore: (run) => line.add(run),
    next() {
      // Looking at the machine costs more than looking at the line.
      const isPossible = line.has(mayStart) && options.hasRoom();
      const run = isPossible ? line.next(mayStart, slots.takenBy) : null;
      if (run !== null) takeTurn(run);
      return run;
    },
    couldStart: () => line.has(mayStart),
    giveBack: (run) => slots.giveBack(run),
    remove: (runId) => line.remove(runId),
    outlookOf(runId) {
      const run = line.find(runId);
      return run === null ? null : outlook(run.appId, line.nthOf(run));
    },
    counts() {
      const now = monotonicMs();
      let oldest: number | null = null;
      const waitingByApp = new Map<number, number>();
      for (const { first, count } of line.apps()) {
        oldest = Math.max(oldest ?? 0, now - first.since);
        waitingByApp.set(first.appId, count);
      }
      const waiting = line.count();
      const idleMs = now - lastTurnAt;
      return { running: slots.taken(), waiting, oldestWaitingMs: oldest, idleMs, waitingByApp };
    },
    countsOf: (appId) => ({ running: slots.takenBy(appId), waiting: line.countOf(appId) }),
    waiting: () => line.all(),
  };
}

/** Of a line so long, what one app may fill. */
export function shareOf(queueLimit: number): number {
  return Math.max(1, Math.ceil(queueLimit * shareOfAnApp));
}

/** How many of each there are; null is none of them. */
function createTally() {
  const counts = new Map<number, number>();
  return {
    add(key: number | null) {
      if (key !== null) counts.set(key, (counts.get(key) ?? 0) + 1);
    },
    remove(key: number | null) {
      if (key === null) return;
      const left = (counts.get(key) ?? 0) - 1;
      if (left > 0) counts.set(key, left);
      else counts.delete(key);
    },
    has: (key: number | null) => key !== null && counts.has(key),
  };
}

function once(act: () => void): () => void {
  let done = false;
  return () => {
    if (!done) act();
    done = true;
  };
}
