// When the watcher asks the vault: every so often while there is no stream (CV-61), and for the stream again with growing, uneven pauses.
import { expect, test } from 'vitest';

import { systemClock } from '#shared/clock.ts';
import type { Clock } from '#shared/clock.ts';
import { createLog } from '#shared/log.ts';
import { VaultError } from '#shared/vault-client-error.ts';

import { createEventIntake } from '../../watcher/intake/event-intake.ts';
import type { EventIntakeParts } from '../../watcher/intake/event-intake.ts';

const agent = { agentId: 'agent_1', name: 'Librarian', settings: {} };

/** Runs for so long on a clock that goes on by itself; gives when it polled and when it asked for the stream. */
async function askedWithin(
  ms: number,
  more: Pick<EventIntakeParts, 'isPushed' | 'random'>,
): Promise<{ polls: number[]; streams: number[] }> {
  const over = new AbortController();
  let now = 0;
  const [polls, streams]: [number[], number[]] = [[], []];
  const clock: Clock = {
    ...systemClock,
    monotonicMs: () => now,
    async sleep(pauseMs) {
      now += pauseMs;
      if (now > ms) over.abort();
      await Promise.resolve();
    },
  };
  const intake = createEventIntake({
    ...{ ...more, pollMs: 2000, firstStart: 'all', clock },
    log: createLog({ level: 'silent', service: 'watcher' }),
    onTaken: () => {},
    roster: { find: () => agent, all: () => [agent], refresh: async () => {} },
    journal: {
      cursor: () => 7,
      take: async () => ({ messages: [], inboxItems: [], cancelled: [] }),
    },
    vault: {
      async eventsSince() {
        polls.push(now);
        return { events: [], isWhole: true };
      },
      newestEvent: async () => null,
      // oxlint-disable-next-line require-yield -- it breaks before the first event
      async *stream() {
        streams.push(now);
        throw new VaultError('unreachable', 'nobody there', { status: null, retryable: true });
      },
    },
  });
  await intake.run(over.signal);
  return { polls, streams };
}

const apart = (times: readonly number[]): number[] =>
  times.slice(1).map((time, index) => time - (times[index] ?? 0));

test('without the stream it asks every two seconds, and never for the stream', async () => {
  const { polls, streams } = await askedWithin(60_000, {
    ...{ isPushed: false, random: Math.random },
  });
  expect(streams).toEqual([]);
  expect(apart(polls)).toEqual(Array.from({ length: 30 }, () => 2000));
});

test('a stream that breaks is asked for with growing pauses up to half a minute; meanwhile it polls', async () => {
  const { polls, streams } = await askedWithin(600_000, {
    ...{ isPushed: true, random: () => 0.999 },
  });
  const pauses = apart(streams);
  expect(pauses.slice(0, 5)).toEqual(pauses.slice(0, 5).toSorted((a, b) => a - b));
  expect(Math.max(...pauses)).toBeLessThanOrEqual(32_000);
  expect(pauses.at(-1)).toBeGreaterThan(28_000);
  expect(Math.max(...apart(polls))).toBeLessThanOrEqual(2000);
});

test('the pauses of many watchers are spread', async () => {
  const all = await Promise.all(
    Array.from({ length: 50 }, async () => {
      const { streams } = await askedWithin(300_000, {
        ...{ isPushed: true, random: Math.random },
      });
      return apart(streams).at(-1) ?? 0;
    }),
  );
  expect(new Set(all.map(Math.round)).size).toBeGreaterThan(40);
  expect(Math.min(...all)).toBeGreaterThanOrEqual(15_000);
  expect(Math.max(...all)).toBeLessThanOrEqual(32_000);
});
