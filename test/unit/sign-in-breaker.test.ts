import { expect, test } from 'vitest';

import type { Outcome } from '../../gateway/runs/outcome.ts';
import { createSignInBreaker } from '../../gateway/runs/sign-in-breaker.ts';
import { createManualClock } from '../support/manual-clock.ts';

function createBreaker() {
  const clock = createManualClock();
  return { clock, breaker: createSignInBreaker(clock, 60_000) };
}

test('nothing is known before the first run, and every run may start', () => {
  const { breaker } = createBreaker();
  expect(breaker.signedIn()).toBeNull();
  expect([breaker.admit(), breaker.admit()]).toEqual([true, true]);
});

test('one run that was not signed in keeps the next ones out until the cool-down is over', async () => {
  const { breaker, clock } = createBreaker();
  breaker.report('auth');
  expect(breaker.signedIn()).toBe(false);
  expect(breaker.admit()).toBe(false);
  await clock.advance(59_999);
  expect(breaker.admit()).toBe(false);
  await clock.advance(1);
  expect(breaker.admit()).toBe(true);
});

test('after the cool-down one run tries, alone', async () => {
  const { breaker, clock } = createBreaker();
  breaker.report('auth');
  await clock.advance(60_000);
  expect([breaker.admit(), breaker.admit(), breaker.admit()]).toEqual([true, false, false]);
});

test('a trial that a model answers lets everybody in again, before it has ended', async () => {
  const { breaker, clock } = createBreaker();
  breaker.report('auth');
  await clock.advance(60_000);
  breaker.admit();
  breaker.sawAnswer();
  expect(breaker.signedIn()).toBe(true);
  expect(breaker.isOpen()).toBe(false);
  expect([breaker.admit(), breaker.admit()]).toEqual([true, true]);
});

test('a trial that is not signed in begins another cool-down', async () => {
  const { breaker, clock } = createBreaker();
  breaker.report('auth');
  await clock.advance(60_000);
  breaker.admit();
  breaker.report('auth');
  await clock.advance(59_999);
  expect(breaker.admit()).toBe(false);
  await clock.advance(1);
  expect(breaker.admit()).toBe(true);
});

test('asking whether it is open takes no trial away', async () => {
  const { breaker, clock } = createBreaker();
  breaker.report('auth');
  expect(breaker.isOpen()).toBe(true);
  await clock.advance(60_000);
  expect([breaker.isOpen(), breaker.isOpen()]).toEqual([false, false]);
  expect([breaker.admit(), breaker.isOpen()]).toEqual([true, true]);
});

test.each<Outcome | null>([
  null,
  'timeout_total',
  'client_gone',
  'disk_full',
  'crashed',
  'rate_limited',
])('a trial that ends with %s proves nothing: the next run tries at once', async (outcome) => {
  const { breaker, clock } = createBreaker();
  breaker.report('auth');
  await clock.advance(60_000);
  breaker.admit();
  breaker.report(outcome);
  expect([breaker.admit(), breaker.admit()]).toEqual([true, false]);
  expect(breaker.signedIn()).toBe(false);
});

test('a failure of another kind keeps nobody out', () => {
  const { breaker } = createBreaker();
  for (const outcome of ['crashed', 'billing', 'overloaded', 'empty'] as const) {
    breaker.report(outcome);
  }
  expect(breaker.admit()).toBe(true);
  expect(breaker.signedIn()).toBeNull();
});

test('its state is open while runs are refused, half open while one may try, else closed', async () => {
  const { breaker, clock } = createBreaker();
  expect(breaker.state()).toBe('closed');
  breaker.report('auth');
  expect(breaker.state()).toBe('open');
  await clock.advance(60_000);
  expect(breaker.state()).toBe('half_open');
  breaker.admit();
  expect(breaker.state()).toBe('half_open');
  breaker.sawAnswer();
  expect(breaker.state()).toBe('closed');
});
