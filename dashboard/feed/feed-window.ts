// Which of the events that are known are in the page: never more than a hundred.
import type { EventView } from '#shared/vault-event-api.ts';

export const windowMax = 100;
export const windowStep = 50;

/** The number of the first event that is shown; null: those at the end, whatever comes. */
export type WindowStart = number | null;

export type FeedWindow = {
  shown: readonly EventView[];
  hasEarlier: boolean;
  hasLater: boolean;
};

export function windowOf(events: readonly EventView[], start: WindowStart): FeedWindow {
  const first = firstIndex(events, start);
  const end = Math.min(events.length, first + windowMax);
  return {
    shown: events.slice(first, end),
    hasEarlier: first > 0,
    hasLater: end < events.length,
  };
}

/** Moved by some events, towards the earlier with a negative number. */
export function movedStart(
  events: readonly EventView[],
  start: WindowStart,
  step: number,
): WindowStart {
  const index = Math.max(0, firstIndex(events, start) + step);
  if (index >= events.length - windowMax && step > 0) return null;
  return events[index]?.seq ?? null;
}

function firstIndex(events: readonly EventView[], start: WindowStart): number {
  if (start === null) return Math.max(0, events.length - windowMax);
  const index = events.findIndex(({ seq }) => seq >= start);
  return index === -1 ? Math.max(0, events.length - windowMax) : index;
}
