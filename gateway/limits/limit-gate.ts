// Whether the subscription lets runs start. Pure but for the clock: who listens writes it down.
//
//   open ──a window says no──▶ parked ──its reset has come──▶ due ──a run starts──▶ probing ──answer──▶ open
//                                ▲ ▲                           ▲                      │ │
//                                │ └──────────────says no again, which waits longer───┘ │
//                                │                             └──ended without a word──┘
//                                └── a later reset, from a run that started before
import type { Clock } from '#shared/clock.ts';

import { pauseEnd } from './limit-pause.ts';

export type Parking = {
  /** Epoch milliseconds, since it is over by the wall clock; may have passed, then one run may try. */
  until: number;
  since: number;
  /** Whose limit it is; null where nobody said. */
  window: string | null;
  failedProbes: number;
};

/** What one run finds out. */
export type LimitPass = {
  /** False for a run that came to its turn when the queue had just been parked. */
  isAdmitted: boolean;
  isProbe: () => boolean;
  /** A window has refused it. */
  refused: (limit: { window: string | null; resetsAt: number | null }) => void;
  /** The subscription lets it pass. */
  passed: () => void;
  /** It has ended, whatever it found out. */
  over: () => void;
};

export type LimitGate = {
  /** Null when runs start as they come. */
  parking: () => Parking | null;
  /** The same while nobody may start; null from the reset on. */
  closedBy: () => Parking | null;
  /** Whether one run may start: any of them, or the one that tries. */
  mayStart: () => boolean;
  begin: () => LimitPass;
};

export type LimitGateParts = {
  /** From an earlier start. */
  parking: Parking | null;
  clock: Pick<Clock, 'now'>;
  /** It was parked, parked for longer, or opened (null). */
  onMove: (parking: Parking | null) => void;
};

export function createLimitGate({ clock, onMove, ...kept }: LimitGateParts): LimitGate {
  let parking = kept.parking;
  let probe: LimitPass | null = null;

  const isClosed = (): boolean => parking !== null && clock.now() < parking.until;
  const move = (to: Parking | null): void => {
    parking = to;
    probe = null;
    onMove(to);
  };
  const park = (
    { window, resetsAt }: { window: string | null; resetsAt: number | null },
    failedProbes: number,
  ): void => {
    const now = clock.now();
    const until = pauseEnd({ resetsAt, now, failedProbes });
    move({ until, since: parking?.since ?? now, window, failedProbes });
  };
  const begin = (): LimitPass => {
    const isAdmitted = !isClosed() && probe === null;
    /** Of a run that started before the queue was parked, an answer may be older than that. */
    let mayOpen = parking !== null && isAdmitted;
    const pass: LimitPass = {
      isAdmitted,
      isProbe: () => probe === pass,
      refused(limit) {
        if (parking === null || probe === pass) {
          mayOpen = true;
          park(limit, parking === null ? 0 : parking.failedProbes + 1);
        } else if (limit.resetsAt !== null) {
          const { failedProbes, until } = parking;
          const later = pauseEnd({ resetsAt: limit.resetsAt, now: clock.now(), failedProbes: 0 });
          if (later > until && probe === null) {
            move({ ...parking, until: later, window: limit.window, failedProbes });
          }
        }
      },
      passed() {
        if (parking !== null && mayOpen) move(null);
      },
      over() {
        mayOpen = false;
        if (probe === pass) probe = null;
      },
    };
    if (parking !== null && isAdmitted) probe = pass;
    return pass;
  };
  return {
    parking: () => parking,
    closedBy: () => (isClosed() ? parking : null),
    mayStart: () => !isClosed() && probe === null,
    begin,
  };
}
