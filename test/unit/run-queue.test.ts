import { describe, expect, test } from 'vitest';

import { createRunQueue } from '../../gateway/runs/run-queue.ts';
import type { QueueEntry, RunQueue, Ticket } from '../../gateway/runs/run-queue.ts';

const never = new AbortController().signal;
const megabyte = 2 ** 20;

type World = {
  queue: RunQueue;
  time: { ms: number };
  /** Names of the runs that may start, in the order in which they were told. */
  started: string[];
  /** Enters the line; throws when there is no place. */
  enter: (name: string, entry?: Partial<QueueEntry>, signal?: AbortSignal) => Ticket;
};

function createWorld(options: { concurrency?: number; queueLimit?: number } = {}): World {
  const time = { ms: 0 };
  const queue = createRunQueue({
    ...{ concurrency: 1, queueLimit: 64, ...options },
    monotonicMs: () => time.ms,
  });
  const started: string[] = [];
  return {
    ...{ queue, time, started },
    enter(name, entry = {}, signal = never) {
      const ticket = queue.enter({
        appId: 1,
        appName: 'a',
        maxConcurrent: null,
        bytes: 1,
        ...entry,
      });
      ticket.turn(signal).then(
        () => started.push(name),
        () => {},
      );
      return ticket;
    },
  };
}

/** Lets every turn that has come be told. */
async function told(): Promise<void> {
  for (let count = 0; count < 5; count += 1) await Promise.resolve();
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

describe('the line', () => {
  test('lets as many run as there are places, the rest in the order of arrival', async () => {
    const { enter, started } = createWorld({ concurrency: 2 });
    const [a, b] = ['a', 'b', 'c', 'd'].map((name) => enter(name));
    await told();
    expect(started).toEqual(['a', 'b']);
    b?.leave();
    await told();
    expect(started).toEqual(['a', 'b', 'c']);
    a?.leave();
    await told();
    expect(started).toEqual(['a', 'b', 'c', 'd']);
  });

  test('lets nobody who comes later pass a free place to those who wait', async () => {
    const { enter, started } = createWorld();
    const first = enter('first');
    enter('second');
    first.leave();
    enter('third');
    await told();
    expect(started).toEqual(['first', 'second']);
  });

  test('gives a place back once only', async () => {
    const { enter, queue } = createWorld();
    const first = enter('first');
    enter('second');
    first.leave();
    first.leave();
    await told();
    expect(queue.counts()).toEqual({ running: 1, waiting: 0, oldestWaitingMs: null });
  });

  test('tells how long the first of those who wait has waited', () => {
    const { enter, queue, time } = createWorld();
    enter('first');
    enter('second');
    time.ms = 700;
    enter('third');
    expect(queue.counts()).toEqual({ running: 1, waiting: 2, oldestWaitingMs: 700 });
  });
});

describe('an app at its own limit', () => {
  test('waits although a place is free, and the others pass it', async () => {
    const { enter, started } = createWorld({ concurrency: 3 });
    const capped = { appId: 1, maxConcurrent: 1 };
    const first = enter('a1', capped);
    enter('a2', capped);
    enter('b1', { appId: 2 });
    await told();
    expect(started).toEqual(['a1', 'b1']);
    first.leave();
    await told();
    expect(started).toEqual(['a1', 'b1', 'a2']);
  });

  test('is passed by those who wait behind it when a place comes free', async () => {
    const { enter, started } = createWorld({ concurrency: 2 });
    const capped = { appId: 1, maxConcurrent: 1 };
    enter('a1', capped);
    const other = enter('b1', { appId: 2 });
    enter('a2', capped);
    enter('b2', { appId: 2 });
    other.leave();
    await told();
    expect(started).toEqual(['a1', 'b1', 'b2']);
  });
});

describe('somebody who leaves while waiting', () => {
  test('is told why and takes no place', async () => {
    const { enter, queue, started } = createWorld();
    const first = enter('first');
    const gone = new AbortController();
    const ticket = queue.enter({ appId: 1, appName: 'a', maxConcurrent: null, bytes: 1 });
    const turn = ticket.turn(gone.signal);
    enter('third');
    gone.abort(new Error('gone'));
    await expect(turn).rejects.toThrow('gone');
    ticket.leave();
    first.leave();
    await told();
    expect(started).toEqual(['first', 'third']);
  });

  test('just when the turn comes gives the place on', async () => {
    const { enter, queue, started } = createWorld();
    const first = enter('first');
    const gone = new AbortController();
    const second = enter('second', {}, gone.signal);
    enter('third');
    first.leave();
    gone.abort();
    second.leave();
    await told();
    expect(started.at(-1)).toBe('third');
    expect(queue.counts()).toMatchObject({ running: 1, waiting: 0 });
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

  test('when those who wait hold too many bytes, but never to the first', () => {
    const { enter } = createWorld();
    enter('running');
    expect(refusalOf(() => enter('1', { bytes: 65 * megabyte }))).toBeNull();
    expect(refusalOf(() => enter('2', { bytes: 1 }))).toMatchObject({ code: 'queue_full' });
  });

  test('to nobody who may start at once', () => {
    const { enter } = createWorld({ concurrency: 2, queueLimit: 1 });
    const capped = { appId: 1, maxConcurrent: 1 };
    enter('running', capped);
    enter('waiting', capped);
    expect(refusalOf(() => enter('other', { appId: 2 }))).toBeNull();
  });

  test('with a wait that grows with the line and with how long runs take', () => {
    const { enter, queue } = createWorld({ queueLimit: 1 });
    enter('running');
    enter('waiting');
    expect(refusalOf(() => enter('more'))).toEqual({ code: 'queue_full', retryAfterSecs: 10 });
    for (let count = 0; count < 100; count += 1) queue.sawDuration(20_000);
    expect(refusalOf(() => enter('more'))).toEqual({ code: 'queue_full', retryAfterSecs: 40 });
  });

  test('with a wait of five minutes at most', () => {
    const { enter, queue } = createWorld({ queueLimit: 1 });
    enter('running');
    enter('waiting');
    for (let count = 0; count < 100; count += 1) queue.sawDuration(3_600_000);
    expect(refusalOf(() => enter('more'))).toMatchObject({ retryAfterSecs: 300 });
  });
});
