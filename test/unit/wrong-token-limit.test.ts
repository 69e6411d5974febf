import { expect, test } from 'vitest';

import { createWrongTokenLimit } from '#shared/door/wrong-token-limit.ts';

function createLimit() {
  const time = { ms: 0 };
  const clock = { now: () => 0, monotonicMs: () => time.ms, sleep: () => Promise.resolve() };
  return { limit: createWrongTokenLimit(clock), time };
}

test('the 31st wrong token within a minute is told how long to wait', () => {
  const { limit, time } = createLimit();
  for (let attempt = 1; attempt <= 30; attempt += 1) {
    expect(limit.count('10.0.0.1')).toBeNull();
    time.ms += 1000;
  }
  expect(limit.count('10.0.0.1')).toBe(30);
  expect(limit.count('10.0.0.2')).toBeNull();
});

test('the wait it tells is enough, and refused attempts do not prolong it', () => {
  const { limit, time } = createLimit();
  for (let attempt = 1; attempt <= 30; attempt += 1) limit.count('10.0.0.1');
  time.ms = 500;
  expect(limit.count('10.0.0.1')).toBe(60);
  time.ms = 59_999;
  expect(limit.count('10.0.0.1')).toBe(1);
  time.ms = 60_000;
  expect(limit.count('10.0.0.1')).toBeNull();
});

test('thirty attempts in every minute are never too many', () => {
  const { limit, time } = createLimit();
  for (let attempt = 1; attempt <= 300; attempt += 1) {
    expect(limit.count('10.0.0.1')).toBeNull();
    time.ms += 2000;
  }
});

test('many addresses are forgotten in the order of their last attempt', () => {
  const { limit } = createLimit();
  for (let attempt = 1; attempt <= 30; attempt += 1) limit.count('old');
  for (let index = 0; index < 4095; index += 1) limit.count(`address-${index}`);
  expect(limit.count('old')).not.toBeNull();
  for (let index = 0; index < 4096; index += 1) limit.count(`other-${index}`);
  expect(limit.count('old')).toBeNull();
});
