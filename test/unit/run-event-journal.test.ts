import { describe, expect, test } from 'vitest';

import type { RunEventDraft } from '#shared/gateway-event-api.ts';

import { createRunEventJournal } from '../../gateway/events/run-event-journal.ts';
import { createManualClock } from '../support/manual-clock.ts';

const delta = (text: string, message = 1): RunEventDraft => ({
  ...{ type: 'message.delta', data: { message, text } },
});
const completed: RunEventDraft = {
  ...{ type: 'message.completed', data: { message: 1, text: 'all', model: null } },
};

function createWorld(isWatched: boolean) {
  const clock = createManualClock();
  /** What was written, a list for each transaction. */
  const written: string[][] = [];
  let failures = 0;
  let isBroken = false;
  const journal = createRunEventJournal({
    write: async (drafts) => {
      if (isBroken) throw new Error('no room');
      written.push(drafts.map(textOf));
    },
    isWatched: () => isWatched,
    onFailure: () => (failures += 1),
    clock,
  });
  const add = (...drafts: RunEventDraft[]): void => journal.add(drafts);
  return {
    ...{ add, journal, clock, written, failures: () => failures },
    breakDown: (broken: boolean) => (isBroken = broken),
  };
}

function textOf(draft: RunEventDraft): string {
  return draft.type === 'message.delta' ? draft.data.text : draft.type;
}

describe('events of a run that is watched', () => {
  test('begin at once; text that follows comes in pieces of 100 ms', async () => {
    const { add, clock, written } = createWorld(true);
    add(delta('a'));
    await clock.advance(0);
    expect(written).toEqual([['a']]);
    for (const text of ['b', 'c', 'd']) {
      add(delta(text));
      await clock.advance(30);
    }
    expect(written).toEqual([['a']]);
    await clock.advance(10);
    expect(written).toEqual([['a'], ['bcd']]);
  });

  test('keep their order, and the texts of two messages apart', async () => {
    const { add, clock, written } = createWorld(true);
    add(delta('a'), completed, delta('b', 2), delta('c', 2));
    await clock.advance(0);
    expect(written).toEqual([['a', 'message.completed', 'bc']]);
  });

  test('begin at once again after a pause', async () => {
    const { add, clock, written } = createWorld(true);
    add(delta('a'));
    await clock.advance(5000);
    add(delta('b'));
    await clock.advance(0);
    expect(written).toEqual([['a'], ['b']]);
  });
});

describe('events of a run that nobody watches', () => {
  test('are written together, so that a short run costs no transaction for them', async () => {
    const { add, clock, written, journal } = createWorld(false);
    add(delta('a'));
    await clock.advance(99);
    add(completed);
    expect(written).toEqual([]);
    expect(journal.close().map(textOf)).toEqual(['a', 'message.completed']);
    await clock.advance(1000);
    expect(written).toEqual([]);
  });

  test('are not held back for longer than 100 ms', async () => {
    const { add, clock, written } = createWorld(false);
    add(delta('a'));
    await clock.advance(100);
    expect(written).toEqual([['a']]);
  });
});

test('nothing is added after the end', async () => {
  const { add, clock, written, journal } = createWorld(true);
  expect(journal.close()).toEqual([]);
  add(delta('late'));
  await clock.advance(1000);
  expect(written).toEqual([]);
});

test('a run that writes without end does not fill the database, and its messages still come whole', async () => {
  const { add, clock, written } = createWorld(true);
  for (let count = 0; count < 12; count += 1) {
    add(delta('x'.repeat(2 ** 20)));
    await clock.advance(100);
  }
  add(completed);
  await clock.advance(100);
  const kept = written.flat().filter((text) => text !== 'message.completed');
  expect(kept.join('').length).toBe(8 * 2 ** 20);
  expect(written.flat().at(-1)).toBe('message.completed');
});

test('what cannot be written is told, and the next events are tried', async () => {
  const { add, clock, written, failures, breakDown } = createWorld(true);
  breakDown(true);
  add(delta('lost'));
  await clock.advance(100);
  breakDown(false);
  add(delta('kept'));
  await clock.advance(100);
  expect({ written, failures: failures() }).toEqual({ written: [['kept']], failures: 1 });
});
