// Whether runs may start as far as Anthropic is concerned, learnt from our own runs alone: windows of the subscription, overload.
import { isoTime } from '#shared/clock.ts';
import type { Clock } from '#shared/clock.ts';
import type { DatabaseWriter } from '#shared/database-writer.ts';
import type { Log } from '#shared/log.ts';

import type { ClaudeEvent } from '../claude/claude-events.ts';
import type { Transcript } from '../claude/transcript.ts';
import type { Outcome } from '../runs/outcome.ts';
import { createLimitGate } from './limit-gate.ts';
import type { LimitPass, Parking } from './limit-gate.ts';
import { statedLimit } from './limit-statement.ts';
import type { LimitStore } from './limit-store.ts';
import { createWindowBoard, isParkingWindow } from './limit-window.ts';
import type { LimitWindow } from './limit-window.ts';
import { createOverloadPause } from './overload-pause.ts';
import type { OverloadPass } from './overload-pause.ts';

export type StartPass = {
  /** False when the queue was parked in the moment before its turn. */
  isAdmitted: boolean;
  saw: (event: ClaudeEvent) => void;
  /** Gives whether the limit of the subscription refused it. */
  over: (outcome: Outcome, transcript: Transcript | null) => boolean;
};

export type StartGate = {
  /** Nobody has to be waited for. */
  isOpen: () => boolean;
  /** Whether one more run may start now. */
  mayStart: () => boolean;
  /** While the queue is parked; null from the reset on, when one run tries. */
  closedBy: () => Parking | null;
  /** Until an answer has come. */
  parking: () => Parking | null;
  windows: () => LimitWindow[];
  /** A run gets its turn; between asking and this nothing else may happen. */
  begin: () => StartPass;
};

export type StartGateParts = {
  store: LimitStore;
  /** Where the credential comes from. */
  credential: string;
  writer: DatabaseWriter;
  onParked: () => void;
  clock: Clock;
  log: Log;
  random?: () => number;
};

export function createStartGate(parts: StartGateParts): StartGate {
  const { store, credential, clock, log } = parts;
  const keep = (work: () => void): void => {
    parts.writer
      .write(work)
      .catch((err: unknown) => log.error({ err }, 'limits could not be stored'));
  };
  const board = createWindowBoard(store.windows());
  const overload = createOverloadPause(clock, parts.random ?? Math.random);
  const gate = createLimitGate({
    parking: store.parking(credential),
    clock,
    onMove(parking) {
      keep(() => store.keepParking(parking, credential));
      if (parking === null) {
        log.info('queue opens: the subscription answers again');
        return;
      }
      log.warn(parkingFacts(parking), 'queue parked: the limit of the subscription is reached');
      parts.onParked();
    },
  });
  const see = (event: Extract<ClaudeEvent, { type: 'limit' }>): void => {
    const { changed, dropped } = board.see(event.windows, clock.now());
    if (changed.length === 0 && dropped.length === 0) return;
    keep(() => {
      for (const window of changed) store.keepWindow(window);
      for (const name of dropped) store.dropWindow(name);
    });
  };
  return {
    isOpen: () => gate.parking() === null && overload.leftMs() === 0,
    mayStart: () => gate.mayStart() && overload.leftMs() === 0,
    closedBy: gate.closedBy,
    parking: gate.parking,
    windows: () => board.list(clock.now()),
    begin() {
      const limit = gate.begin();
      if (limit.isProbe()) log.info('one run tries whether the subscription answers again');
      return createStartPass({ limit, overload: overload.begin(), see, clock });
    },
  };
}

function parkingFacts({ until, window, failedProbes }: Parking) {
  return { window, until: isoTime(until), failed_probes: failedProbes };
}

function createStartPass(parts: {
  limit: LimitPass;
  overload: OverloadPass;
  see: (event: Extract<ClaudeEvent, { type: 'limit' }>) => void;
  clock: Clock;
}): StartPass {
  const { limit, overload, clock } = parts;
  /** An event has said no: it is more exact than the words after it. */
  let isTold = false;
  let isRefused = !limit.isAdmitted;

  const refuse = (window: string | null, resetsAt: number | null): void => {
    isRefused = true;
    limit.refused({ window, resetsAt });
  };
  const answered = (): void => {
    overload.answered();
    limit.passed();
  };
  const sawLimit = (event: Extract<ClaudeEvent, { type: 'limit' }>): void => {
    parts.see(event);
    if (event.status === 'allowed' || event.status === 'allowed_warning') return limit.passed();
    if (event.status !== 'rejected' || event.isUsingOverage) return;
    isTold = true;
    if (isParkingWindow(event.window)) refuse(event.window, event.resetsAt);
  };
  return {
    isAdmitted: limit.isAdmitted,
    saw(event) {
      if (event.type === 'limit') sawLimit(event);
      else if (event.type === 'message_start') answered();
      else if (event.type === 'assistant' && event.failure === null) answered();
    },
    over(outcome, transcript) {
      if (outcome === 'overloaded') overload.overloaded();
      if (outcome === 'completed') answered();
      if (outcome === 'rate_limited' && limit.isAdmitted && !isTold) {
        const stated = transcript === null ? null : statedLimit(transcript, clock.now());
        if (stated !== null && !stated.isOfOneModel) refuse(null, stated.resetsAt);
        // It says nothing of a window, and the next one is not to run into it at once.
        else if (limit.isProbe()) limit.refused({ window: null, resetsAt: clock.now() });
      }
      limit.over();
      return isRefused;
    },
  };
}
