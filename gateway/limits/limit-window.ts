// The windows of a subscription: which of them stop every run, and how each was last seen. Names come from outside.
import { unnamedWindow } from '../claude/limit-notice.ts';
import type { WindowSighting } from '../claude/limit-notice.ts';

export type LimitWindow = WindowSighting & {
  /** Epoch milliseconds. */
  seenAt: number;
};

/** Whoever is refused by one of these would be refused with every model. A status that names no window is about all. */
const parkingWindows: readonly string[] = [
  ...['five_hour', 'seven_day', 'seven_day_overage_included', 'overage', unnamedWindow],
];
/** Other models are answered still. */
const windowsOfOneModel: readonly string[] = ['seven_day_opus', 'seven_day_sonnet'];

export function isParkingWindow(name: string | null): boolean {
  return parkingWindows.includes(name ?? unnamedWindow);
}

function isKnownWindow(name: string): boolean {
  return parkingWindows.includes(name) || windowsOfOneModel.includes(name);
}

const unknownWindowsMax = 16;
const nameLengthMax = 48;
const statusLengthMax = 32;
const sightingsMax = 32;
/** A sighting that says the same again is not written down more often than this. */
const seenAgainMs = 60_000;

export type WindowBoard = {
  /** Gives what has changed, to be kept, and the names of those that had to go. */
  see: (
    sightings: readonly WindowSighting[],
    now: number,
  ) => { changed: LimitWindow[]; dropped: string[] };
  /** By name. What was said of a window that has reset since then is not known any more. */
  list: (now: number) => LimitWindow[];
};

/** @param kept from an earlier start. */
export function createWindowBoard(kept: readonly LimitWindow[]): WindowBoard {
  const windows = new Map(kept.map((window) => [window.name, window]));

  const makeRoom = (): string[] => {
    const unknown = [...windows.values()].filter(({ name }) => !isKnownWindow(name));
    const oldestFirst = unknown.toSorted((one, other) => one.seenAt - other.seenAt);
    const tooMany = oldestFirst.slice(0, Math.max(0, unknown.length - unknownWindowsMax));
    for (const { name } of tooMany) windows.delete(name);
    return tooMany.map(({ name }) => name);
  };
  return {
    see(sightings, now) {
      const changed = sightings.slice(0, sightingsMax).flatMap((sighting) => {
        const name = tidy(sighting.name, nameLengthMax);
        const status = sighting.status === null ? null : tidy(sighting.status, statusLengthMax);
        const window: LimitWindow = { ...sighting, name, status, seenAt: now };
        const before = windows.get(name);
        if (before !== undefined && isSame(before, window)) return [];
        windows.set(name, window);
        return [window];
      });
      const dropped = makeRoom();
      return { changed: changed.filter(({ name }) => windows.has(name)), dropped };
    },
    list: (now) =>
      [...windows.values()]
        .map((window) => asKnownAt(window, now))
        .toSorted((one, other) => (one.name < other.name ? -1 : 1)),
  };
}

function isSame(before: LimitWindow, window: LimitWindow): boolean {
  return (
    before.status === window.status &&
    before.utilization === window.utilization &&
    before.resetsAt === window.resetsAt &&
    Math.abs(window.seenAt - before.seenAt) < seenAgainMs
  );
}

function asKnownAt(window: LimitWindow, now: number): LimitWindow {
  const hasReset = window.resetsAt !== null && window.resetsAt <= now;
  return hasReset ? { ...window, status: null, utilization: null } : window;
}

/** They go into lists, labels and log lines. */
function tidy(text: string, lengthMax: number): string {
  return text.slice(0, lengthMax).replaceAll(/[^\w.-]/g, '_') || unnamedWindow;
}
