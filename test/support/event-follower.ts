// Reads the events of a run in the background of a test.
import { expect } from 'vitest';

import type { RunEvent } from '#shared/gateway-event-reader.ts';

export type EventFollower = {
  seen: RunEvent[];
  /** All of them, once there are no more. */
  ended: Promise<RunEvent[]>;
  untilSeen: (type: string) => Promise<void>;
};

export function followEvents(events: AsyncIterable<RunEvent>): EventFollower {
  const seen: RunEvent[] = [];
  const read = async (): Promise<RunEvent[]> => {
    for await (const event of events) seen.push(event);
    return seen;
  };
  const ended = read();
  // A test may look at its failure later.
  ended.catch(() => {});
  return {
    seen,
    ended,
    async untilSeen(type) {
      await expect.poll(() => typesOf(seen), { timeout: 15_000 }).toContain(type);
    },
  };
}

export function numbersOf(events: readonly RunEvent[]): number[] {
  return events.map(({ id }) => id);
}

export function typesOf(events: readonly RunEvent[]): string[] {
  return events.map(({ type }) => type);
}
