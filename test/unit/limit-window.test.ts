import { expect, test } from 'vitest';

import { createWindowBoard, isParkingWindow } from '../../gateway/limits/limit-window.ts';

const now = 1_000_000;

function sighting(name: string, more: object = {}) {
  return { name, status: 'allowed', utilization: 0.1, resetsAt: now + 60_000, ...more };
}

test('only windows that stop every model park, or a status that names none', () => {
  expect(['five_hour', 'seven_day', 'unnamed', null].map(isParkingWindow)).not.toContain(false);
  expect(['seven_day_opus', 'seven_day_sonnet', 'lunar_month', ''].map(isParkingWindow)).toEqual([
    ...[false, false, false, false],
  ]);
});

test('a window is listed as it was last seen; after its reset nothing is known of it', () => {
  const board = createWindowBoard([]);
  board.see([sighting('seven_day'), sighting('five_hour', { status: 'rejected' })], now);
  expect(board.list(now)).toEqual([
    { ...sighting('five_hour', { status: 'rejected' }), seenAt: now },
    { ...sighting('seven_day'), seenAt: now },
  ]);
  expect(board.list(now + 60_000)[0]).toMatchObject({
    ...{ name: 'five_hour', status: null, utilization: null, resetsAt: now + 60_000 },
  });
});

test('what says the same again is written down once a minute at most', () => {
  const board = createWindowBoard([]);
  const see = (at: number, more = {}) => board.see([sighting('five_hour', more)], at).changed;
  expect(see(now)).toHaveLength(1);
  expect(see(now + 59_999)).toEqual([]);
  expect(see(now + 59_999, { utilization: 0.2 })).toHaveLength(1);
  expect(see(now + 120_000, { utilization: 0.2 })).toHaveLength(1);
});

test('names from outside are cut, tidied and few; known ones always have a place', () => {
  const board = createWindowBoard([]);
  board.see([sighting('x'.repeat(500)), sighting('a b\n"c"'), sighting('')], now);
  expect(board.list(now).map(({ name }) => name)).toEqual([
    ...['a_b__c_', 'unnamed', 'x'.repeat(48)],
  ]);
  for (let nth = 0; nth < 100; nth += 1) board.see([sighting(`odd_${nth}`)], now + 1 + nth);
  const { dropped, changed } = board.see([sighting('five_hour'), sighting('new')], now + 200);
  expect(dropped).toEqual(['odd_84']);
  expect(changed).toHaveLength(2);
  const names = board.list(now).map(({ name }) => name);
  expect(names).toHaveLength(18);
  expect(names).toEqual(expect.arrayContaining(['five_hour', 'new', 'odd_99', 'unnamed']));
});
