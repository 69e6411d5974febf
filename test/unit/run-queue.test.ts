import { describe, expect, test } from 'vitest';

import type { WaitingRun } from '../../gateway/queue/fair-line.ts';
import { createRunDurations } from '../../gateway/queue/run-durations.ts';
import { createRunQueue } from '../../gateway/queue/run-queue.ts';
import type { Applicant, QueuePlace, RunQueue } from '../../gateway/queue/run-queue.ts';

const megabyte = 2 ** 20;

type World = {
  queue: RunQueue;
  time: { ms: number };
  caps: Map<number, number>;
  room: { isThere: boolean };
  gate: { isOpen: boolean; leftMs: number };
  durations: ReturnType<typeof createRunDurations>;
  /** Ids of the runs that have their turn, in the order in which they got it. */
  started: string[];
  /** Asks for a place and takes it; throws when there is none. */
  enter: (runId: string, applicant?: Partial<Applicant>) => QueuePlace;
  /** Ends a run that has its turn, and lets the next ones start. */
  end: (appId?: number, sessionSeq?: number | null) => void;
};

type WorldOptions = { concurrency?: number; queueLimit?: number; appQueueLimit?: number | null };

function createWorld(options: WorldOptions = {}): World {
  const time = { ms: 0 };
  const room = { isThere: true };
  const gate = { isOpen: true, leftMs: 0 };
  const caps = new Map<number, number>();
  const durations = createRunDurations([]);
  const queue = createRunQueue({
    ...{ concurrency: 1, queueLimit: 64, appQueueLimit: null, ...options },
    capOf: (appId) => caps.get(appId) ?? null,
    hasRoom: () => room.isThere,
    isOpen: () => gate.isOpen,
    parked: () => (gate.leftMs === 0 ? null : { until: 5000, leftMs: gate.leftMs }),
    durations,
    monotonicMs: () => time.ms,
  });
  const started: string[] = [];
  let runSeq = 0;
  const pump = (): void => {
    for (let run = queue.next(); run !== null; run = queue.next()) started.push(run.runId);
  };
  return {
    ...{ queue, time, caps, room, gate, durations, started },
    enter(runId, applicant = {}) {
      const alone = { appId: 1, appName: 'a', maxQueued: null, sessionSeq: null, bytes: 1 };
      const whole = { ...alone, ...applicant };
      const place = queue.reserve(whole);
      const { appId, sessionSeq, bytes } = whole;
      runSeq += 1;
      if (place.startsAtOnce) started.push(runId);
      else place.take({ runSeq, runId, appId, sessionSeq, bytes, since: time.ms });
      return place;
    },
    end(appId = 1, sessionSeq: number | null = null) {
      queue.giveBack({ appId, sessionSeq });
      pump();
    },
  };
}

function refusalOf(enter: () => void): unknown {
  try {
    enter();
  } catch (err) {
    const { code, retryAfterSecs } = err as { code: string; retryAfterSecs: number };
    return { code, retryAfterSecs };
  }
  return null;
}

const many = (count: number, name: string): string[] =>
  Array.from({ length: count }, (_, index) => `${name}${index + 1}`);

describe('the line', () => {
  test('lets as many run as there are places, the rest in the order of arrival', () => {
    const { enter, end, started } = createWorld({ concurrency: 2 });
    for (const name of ['a', 'b', 'c', 'd']) enter(name);
    expect(started).toEqual(['a', 'b']);
    end();
    expect(started).toEqual(['a', 'b', 'c']);
    end();
    expect(started).toEqual(['a', 'b', 'c', 'd']);
  });

  test('lets nobody who comes later pass a free place to those who wait', () => {
    const { enter, queue, room, started } = createWorld();
    room.isThere = false;
    enter('first');
    room.isThere = true;
    enter('second');
    expect(started).toEqual([]);
    expect(queue.next()?.runId).toBe('first');
  });

  test('has room for the one that is chosen also where nobody may wait', () => {
    const { queue, gate, room, enter } = createWorld({ queueLimit: 0, appQueueLimit: 0 });
    gate.isOpen = false;
    enter('tries', { maxQueued: 0 });
    expect(() => enter('second', { maxQueued: 0 })).toThrow('waiting');
    expect(queue.next()?.runId).toBe('tries');
    queue.giveBack({ appId: 1, sessionSeq: null });
    room.isThere = false;
    expect(() => enter('third', { maxQueued: 0 })).toThrow('waiting');
  });

  test('gives a place back once only', () => {
    const { enter, queue } = createWorld();
    const first = enter('first');
    enter('second');
    first.giveBack();
    first.giveBack();
    expect(queue.counts()).toMatchObject({ running: 0, waiting: 1 });
  });

  test('tells how long the first of those who wait has waited', () => {
    const { enter, queue, time } = createWorld();
    enter('first');
    enter('second');
    time.ms = 700;
    enter('third');
    expect(queue.counts()).toMatchObject({ running: 1, waiting: 2, oldestWaitingMs: 700 });
  });

  test('tells whether somebody who waits would start if the machine had room', () => {
    const { enter, end, queue, room, caps } = createWorld({ concurrency: 2 });
    expect(queue.couldStart()).toBe(false);
    room.isThere = false;
    enter('first');
    expect(queue.couldStart()).toBe(true);
    caps.set(1, 0);
    expect(queue.couldStart()).toBe(false);
    caps.clear();
    room.isThere = true;
    enter('second');
    end();
    expect(queue.couldStart()).toBe(false);
  });

  test('looks at the machine only when somebody could start', () => {
    let looks = 0;
    const queue = createRunQueue({
      ...{ concurrency: 1, queueLimit: 64, appQueueLimit: null, capOf: () => null },
      hasRoom: () => (looks += 1) > 0,
      ...{ isOpen: () => true, parked: () => null },
      durations: createRunDurations([]),
      monotonicMs: () => 0,
    });
    queue.reserve({ appId: 1, appName: 'a', maxQueued: null, sessionSeq: null, bytes: 0 });
    looks = 0;
    queue.next();
    queue.restore({ runSeq: 1, runId: 'waits', appId: 1, sessionSeq: null, bytes: 0, since: 0 });
    queue.next();
    expect(looks).toBe(0);
    queue.giveBack({ appId: 1, sessionSeq: null });
    expect(queue.next()?.runId).toBe('waits');
    expect(looks).toBe(1);
  });

  test('counts ten thousand of those who wait by their apps, without looking at each', () => {
    const { queue, time } = createWorld();
    for (let runSeq = 1; runSeq <= 10_000; runSeq += 1) {
      const run = { runSeq, runId: `run-${runSeq}`, appId: runSeq % 4, sessionSeq: null, bytes: 0 };
      const since = (): number => {
        if (runSeq > 4) throw new Error('looked at one that is not the first of its app');
        return runSeq;
      };
      queue.restore(Object.defineProperty({ ...run, since: 0 }, 'since', { get: since }));
    }
    time.ms = 1000;
    const quarter = 2500;
    expect(queue.counts()).toMatchObject({
      ...{ waiting: 10_000, oldestWaitingMs: 999 },
      waitingByApp: new Map([1, 2, 3, 0].map((appId) => [appId, quarter])),
    });
  });

  test('lets nobody start while the machine can carry no more', () => {
    const { enter, queue, room } = createWorld({ concurrency: 4 });
    room.isThere = false;
    expect(enter('first').startsAtOnce).toBe(false);
    expect(queue.next()).toBeNull();
    room.isThere = true;
    expect(queue.next()?.runId).toBe('first');
  });

  test('gives turns only from the line while it is not open, so that one run can be chosen', () => {
    const { queue, gate, started, enter } = createWorld({ concurrency: 2 });
    gate.isOpen = false;
    enter('first');
    expect(started).toEqual([]);
    expect(queue.next()?.runId).toBe('first');
  });

  test('puts one that comes back before those that came after it', () => {
    const { queue } = createWorld();
    const run: Omit<WaitingRun, 'runSeq' | 'runId'> = {
      ...{ appId: 1, sessionSeq: null, bytes: 0, since: 0 },
    };
    for (const runSeq of [2, 4, 3, 1]) queue.restore({ ...run, runSeq, runId: `run ${runSeq}` });
    const order = [1, 2, 3, 4].map(() => {
      queue.giveBack({ appId: 1, sessionSeq: null });
      return queue.next()?.runId;
    });
    expect(order).toEqual(['run 1', 'run 2', 'run 3', 'run 4']);
  });
});

describe('apps', () => {
  test('take turns: one run of another app waits for one run of a hog that has a hundred', () => {
    const { enter, end, started } = createWorld({ queueLimit: 1000 });
    for (const name of many(101, 'hog')) enter(name, { appId: 1 });
    enter('other', { appId: 2 });
    end(1);
    expect(started).toEqual(['hog1', 'other']);
    end(2);
    expect(started).toEqual(['hog1', 'other', 'hog2']);
  });

  test('take turns also when a run of the hog has just started from the line', () => {
    const { enter, end, started } = createWorld({ queueLimit: 1000 });
    for (const name of many(101, 'hog')) enter(name, { appId: 1 });
    end(1);
    enter('other', { appId: 2 });
    end(1);
    expect(started).toEqual(['hog1', 'hog2', 'other']);
  });

  test('that have fewer runs under way go first', () => {
    const { enter, end, started } = createWorld({ concurrency: 4 });
    for (const name of many(8, 'a')) enter(name, { appId: 1 });
    for (const name of many(3, 'b')) enter(name, { appId: 2 });
    end(1);
    end(1);
    expect(started.slice(4)).toEqual(['b1', 'b2']);
    end(1);
    expect(started.slice(6)).toEqual(['a5']);
  });

  test('of three get a third each', () => {
    const { enter, end, started } = createWorld({ queueLimit: 1000 });
    for (const app of [1, 2, 3]) for (const name of many(4, `${app}-`)) enter(name, { appId: app });
    const apps: string[] = [];
    for (let turn = 0; turn < 9; turn += 1) {
      const [app = ''] = started.at(-1) ?? '';
      apps.push(app);
      end(Number(app));
    }
    expect(apps.join('')).toBe('123123123');
  });
});

describe('an app at its own limit', () => {
  test('waits although a place is free, and the others pass it', () => {
    const { enter, end, caps, started } = createWorld({ concurrency: 3 });
    caps.set(1, 1);
    enter('a1', { appId: 1 });
    enter('a2', { appId: 1 });
    enter('b1', { appId: 2 });
    expect(started).toEqual(['a1', 'b1']);
    end(1);
    expect(started).toEqual(['a1', 'b1', 'a2']);
  });

  test('is passed by those who wait behind it when a place comes free', () => {
    const { enter, end, caps, started } = createWorld({ concurrency: 2 });
    caps.set(1, 1);
    enter('a1', { appId: 1 });
    enter('b1', { appId: 2 });
    enter('a2', { appId: 1 });
    enter('b2', { appId: 2 });
    end(2);
    expect(started).toEqual(['a1', 'b1', 'b2']);
  });

  test('may start more as soon as the limit is raised', () => {
    const { enter, queue, caps } = createWorld({ concurrency: 3 });
    caps.set(1, 1);
    enter('a1');
    enter('a2');
    expect(queue.next()).toBeNull();
    caps.set(1, 2);
    expect(queue.next()?.runId).toBe('a2');
  });
});

describe('somebody who leaves while waiting', () => {
  test('takes no place', () => {
    const { enter, end, queue, started } = createWorld();
    for (const name of ['first', 'second', 'third']) enter(name);
    expect(queue.remove('second')?.runId).toBe('second');
    expect(queue.remove('second')).toBeNull();
    end();
    expect(started).toEqual(['first', 'third']);
  });
});

describe('a place to wait is refused', () => {
  test('when the line is full', () => {
    const { enter } = createWorld({ queueLimit: 2 });
    enter('running');
    enter('1', { appId: 1 });
    enter('2', { appId: 2 });
    expect(refusalOf(() => enter('3', { appId: 3 }))).toMatchObject({ code: 'queue_full' });
  });

  test('when there is no line at all', () => {
    const { enter } = createWorld({ queueLimit: 0 });
    enter('running');
    expect(refusalOf(() => enter('1'))).toMatchObject({ code: 'queue_full' });
  });

  test('to an app that fills its quarter of the line', () => {
    const { enter } = createWorld({ queueLimit: 8 });
    enter('running');
    enter('1');
    enter('2');
    expect(refusalOf(() => enter('3'))).toMatchObject({ code: 'app_busy' });
    expect(refusalOf(() => enter('4', { appId: 2 }))).toBeNull();
  });

  test('to an app that fills what the gateway allows each, or what it is allowed itself', () => {
    const { enter } = createWorld({ queueLimit: 8, appQueueLimit: 1 });
    enter('running');
    enter('1');
    expect(refusalOf(() => enter('2'))).toMatchObject({ code: 'app_busy' });
    const generous = { appId: 2, maxQueued: 3 };
    for (const name of many(3, 'b')) enter(name, generous);
    expect(refusalOf(() => enter('b4', generous))).toMatchObject({ code: 'app_busy' });
    const never = { appId: 3, maxQueued: 0 };
    expect(refusalOf(() => enter('c1', never))).toMatchObject({ code: 'app_busy' });
  });

  test('never because of quarters that are rounded down: four apps can fill the line', () => {
    const { enter } = createWorld({ queueLimit: 50 });
    enter('running');
    let places = 0;
    for (let round = 0; round < 13; round += 1) {
      for (const appId of [1, 2, 3, 4]) {
        if (refusalOf(() => enter(`${appId}-${round}`, { appId })) === null) places += 1;
      }
    }
    expect(places).toBe(50);
  });

  test('when those who wait hold too many bytes, but never to the first', () => {
    const { enter } = createWorld();
    enter('running');
    expect(refusalOf(() => enter('1', { bytes: 65 * megabyte }))).toBeNull();
    expect(refusalOf(() => enter('2', { bytes: 1 }))).toMatchObject({ code: 'queue_full' });
    expect(refusalOf(() => enter('in the database', { bytes: 0 }))).toBeNull();
  });

  test('while places are only reserved as well, until they are given back', () => {
    const { enter, queue } = createWorld({ queueLimit: 1 });
    enter('running');
    const applicant = { appId: 1, appName: 'a', maxQueued: null, sessionSeq: null, bytes: 1 };
    const place = queue.reserve(applicant);
    expect(refusalOf(() => queue.reserve(applicant))).toMatchObject({ code: 'app_busy' });
    place.giveBack();
    place.giveBack();
    expect(refusalOf(() => enter('1'))).toBeNull();
    expect(refusalOf(() => enter('2'))).not.toBeNull();
  });

  test('to nobody who may start at once', () => {
    const { enter, caps } = createWorld({ concurrency: 2, queueLimit: 1 });
    caps.set(1, 1);
    enter('running');
    enter('waiting');
    expect(refusalOf(() => enter('other', { appId: 2 }))).toBeNull();
  });

  test('with a wait that grows with the line and with how long runs take', () => {
    const { enter, durations } = createWorld({ queueLimit: 1, appQueueLimit: 2 });
    enter('running');
    enter('waiting');
    expect(refusalOf(() => enter('more'))).toEqual({ code: 'queue_full', retryAfterSecs: 10 });
    for (let count = 0; count < 100; count += 1) durations.sawDuration(1, 20_000);
    expect(refusalOf(() => enter('more'))).toEqual({ code: 'queue_full', retryAfterSecs: 40 });
  });

  test('with a wait of five minutes at most', () => {
    const { enter, durations } = createWorld({ queueLimit: 1 });
    enter('running');
    enter('waiting');
    durations.sawDuration(1, 3_600_000);
    expect(refusalOf(() => enter('more'))).toMatchObject({ retryAfterSecs: 300 });
  });
});

describe('the outlook', () => {
  test('of a parked queue says until when it waits, and reckons with it', () => {
    const { queue, gate, enter } = createWorld();
    enter('runs');
    const open = enter('waits').outlook;
    expect(open.waitsUntil).toBeNull();
    gate.leftMs = 3_600_000;
    const { waitsUntil, estimateSecs } = queue.outlookOf('waits') ?? {};
    expect(waitsUntil).toBe(5000);
    expect(estimateSecs).toBeGreaterThanOrEqual(3600);
  });

  test('counts who goes before, with the turns of the other apps', () => {
    const { enter, queue } = createWorld({ queueLimit: 1000 });
    expect(enter('running').outlook.position).toBe(0);
    expect(many(4, 'hog').map((name) => enter(name).outlook.position)).toEqual([1, 2, 3, 4]);
    // The other app has not had a turn yet: its first goes before all, its second after one of the hog's.
    const other = { appId: 2 };
    expect(['x', 'y'].map((name) => enter(name, other).outlook.position)).toEqual([1, 3]);
    expect(queue.outlookOf('hog1')?.position).toBe(2);
    expect(queue.outlookOf('hog4')?.position).toBe(6);
    expect(queue.outlookOf('running')).toBeNull();
  });

  test('is what comes true', () => {
    const { enter, end, queue, started } = createWorld({ queueLimit: 1000 });
    enter('running');
    for (const [index, appId] of [1, 1, 2, 1, 3, 2, 3, 3].entries()) enter(`${index}`, { appId });
    const told = many(0, '')
      .concat(['0', '1', '2', '3', '4', '5', '6', '7'])
      .map((runId) => [...[runId, queue.outlookOf(runId)?.position]]);
    const apps = [1, 1, 2, 1, 3, 2, 3, 3];
    end(1);
    while (started.length < 9) end(apps[Number(started.at(-1))]);
    expect(told).toEqual(told.map(([runId]) => [runId, started.indexOf(String(runId))]));
  });

  test('guesses the time from how long runs took lately', () => {
    const { enter, durations } = createWorld();
    durations.sawDuration(1, 2000);
    durations.sawDuration(2, 60_000);
    expect(enter('running').outlook.estimateSecs).toBe(2);
    expect(enter('next').outlook.estimateSecs).toBe(3);
    expect(enter('b1', { appId: 2 }).outlook.estimateSecs).toBeGreaterThanOrEqual(60);
  });
});

describe('runs of one conversation', () => {
  test('take their turns one after the other, in the order in which they came', () => {
    const { enter, end, started } = createWorld({ concurrency: 4 });
    enter('first', { sessionSeq: 7 });
    enter('second', { sessionSeq: 7 });
    enter('third', { sessionSeq: 7 });
    enter('of another', { sessionSeq: 8 });
    enter('alone');
    expect(started).toEqual(['first', 'of another', 'alone']);
    end(1, 8);
    end(1, 7);
    expect(started.slice(3)).toEqual(['second']);
    end(1, 7);
    expect(started.slice(4)).toEqual(['third']);
  });

  test('keep nobody else of their app waiting', () => {
    const { enter, end, started, caps } = createWorld({ concurrency: 2 });
    caps.set(1, 1);
    enter('talks', { sessionSeq: 7 });
    enter('next of it', { sessionSeq: 7 });
    enter('alone');
    end(1, 7);
    expect(started).toEqual(['talks', 'next of it']);
    caps.set(1, 2);
    end(2);
    expect(started).toEqual(['talks', 'next of it', 'alone']);
  });

  test('do not overtake one that is still being written down', () => {
    const { enter, queue, end } = createWorld({ concurrency: 4 });
    enter('first', { sessionSeq: 7 });
    const second = { appId: 1, appName: 'a', maxQueued: null, sessionSeq: 7, bytes: 0 };
    const place = queue.reserve(second);
    end(1, 7);
    expect(queue.reserve(second).startsAtOnce).toBe(false);
    place.giveBack();
  });
});
