import { describe, expect, it } from 'vitest';

import { interleave } from '../bench/interleave.ts';
import { growthPerStep, median } from '../bench/statistics.ts';
import { ratioRow, renderPhases, renderTable } from '../bench/table.ts';
import type { Row } from '../bench/table.ts';

describe('the median', () => {
  it.each([
    { samples: [7], middle: 7 },
    { samples: [10, 9, 1], middle: 9 },
    { samples: [4, 1, 3, 2], middle: 2.5 },
  ])('of $samples is $middle', ({ samples, middle }) => {
    expect(median(samples)).toBe(middle);
  });

  it('of nothing does not exist', () => {
    expect(() => median([])).toThrow(RangeError);
  });
});

it.each([
  { samples: [5, 5, 5], growth: 0 },
  { samples: [1, 3, 5, 7], growth: 2 },
  { samples: [10, 9, 8], growth: -1 },
  { samples: [0, 3, 0, 3], growth: 0.6 },
])('the growth of $samples is $growth a step', ({ samples, growth }) => {
  expect(growthPerStep(samples)).toBeCloseTo(growth);
});

it('measures variants in turn, each round beginning with another, and forgets the warm-up', async () => {
  const order: string[] = [];
  const variant = (name: string) => () => Promise.resolve(order.push(name));
  const samples = await interleave({ a: variant('a'), b: variant('b') }, { rounds: 2, warmUp: 1 });
  expect(order.join('')).toBe('abbaab');
  expect(samples).toEqual({ a: [4, 5], b: [3, 6] });
});

it.each([
  { ours: 104, bound: { atMost: 1.05 }, isMet: true },
  { ours: 106, bound: { atMost: 1.05 }, isMet: false },
  { ours: 61, bound: { atLeast: 0.6 }, isMet: true },
  { ours: 59, bound: { atLeast: 0.6 }, isMet: false },
])('a ratio of $ours % against $bound is met: $isMet', ({ ours, bound, isMet }) => {
  expect(ratioRow('row', { ours, baseline: 100 }, bound)).toMatchObject({ isMet });
});

const row: Row = {
  ...{ name: 'fast', measured: '1.000x', target: '≤ 1.05x', isMet: true },
  ...{ ours: '2 ms', baseline: '2 ms', samples: 25, phases: ['nothing to say'] },
};
const missed: Row = { ...row, name: 'slow', isMet: false, phases: ['in the disk'] };

it('prints one line a row, in columns', () => {
  const lines = renderTable([row, missed]).split('\n');
  expect(lines).toHaveLength(4);
  expect(new Set(lines.map((line) => line.length)).size).toBe(1);
  expect(lines[3]).toMatch(/\| slow .*\| NO /);
});

it('says where the time goes for what misses its target, or for all when asked', () => {
  expect(renderPhases([row, missed], false)).toBe('slow:\n  in the disk');
  expect(renderPhases([row, missed], true)).toContain('nothing to say');
});
