import { expect, test, vi } from 'vitest';

import { newId } from '#shared/ids.ts';

test('an id is its prefix and 26 lower-case characters', () => {
  expect(newId('run')).toMatch(/^run_[0-9a-hjkmnp-tv-z]{26}$/);
});

test('ids do not repeat', () => {
  const ids = Array.from({ length: 10_000 }, () => newId('run'));
  expect(new Set(ids).size).toBe(ids.length);
});

test('ids sort by the time they were made', () => {
  vi.useFakeTimers({ now: 1000 });
  try {
    const ids = Array.from({ length: 50 }, () => {
      vi.setSystemTime(Date.now() + 37_919_777);
      return newId('run');
    });
    expect(ids.toSorted()).toEqual(ids);
  } finally {
    vi.useRealTimers();
  }
});
