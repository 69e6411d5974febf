// Runs that leave the line without ever having had a turn.
import type { WaitingRun } from '../queue/fair-line.ts';
import type { EndedRun } from './run-answer.ts';
import { originOf } from './run-payload.ts';
import type { RunPayload } from './run-payload.ts';
import { settle } from './run-settlement.ts';
import type { SettlementParts } from './run-settlement.ts';
import type { RunStore } from './run-store.ts';

export type RunDepartures = {
  /** Writes the end of a run down that is out of the line already. */
  end: (waiting: WaitingRun, ended: EndedRun) => void;
  /** Resolves when every such end is written. */
  settled: () => Promise<void>;
};

export function createRunDepartures(
  parts: SettlementParts & { store: RunStore },
  takePayload: (runId: string) => RunPayload | null,
): RunDepartures {
  const { store, clock, log } = parts;
  const underWay = new Set<Promise<unknown>>();

  const depart = async (waiting: WaitingRun, ended: EndedRun): Promise<void> => {
    await using payload = takePayload(waiting.runId);
    const row = store.find(waiting.runId);
    if (row === null) return;
    const queueMs = Math.round(clock.monotonicMs() - waiting.since);
    const origin = payload?.origin ?? originOf(waiting.runSeq, store);
    await settle(parts, row, { ended, origin, events: [], queueMs });
  };
  return {
    end(waiting, ended) {
      const departing = depart(waiting, ended)
        .catch((err: unknown) =>
          log.error({ err, run_id: waiting.runId }, 'run could not be ended'),
        )
        .finally(() => underWay.delete(departing));
      underWay.add(departing);
    },
    async settled() {
      while (underWay.size > 0) await Promise.all(underWay);
    },
  };
}
