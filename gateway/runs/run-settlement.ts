// The end of a run: what is answered, written down and told, whether it had its turn or not.
import type { Clock } from '#shared/clock.ts';
import { DatabaseBusyError, DatabaseFullError } from '#shared/database-writer.ts';
import type { RunEventDraft } from '#shared/gateway-event-api.ts';
import type { JsonValue } from '#shared/json-value.ts';
import type { Log } from '#shared/log.ts';

import { answerOf, withoutResult } from './run-answer.ts';
import type { EndedRun } from './run-answer.ts';
import type { RunEndings } from './run-endings.ts';
import type { RunEnd, RunRecords } from './run-record.ts';
import type { StoredAnswer, StoredRun } from './run-store.ts';
import { nothingSpent } from './run-worker.ts';

/** Who asked for a run. */
export type RunOrigin = {
  address: string;
  requestId: string;
  /** Whether what the model says is kept: for readers of its events, and for who fetches the answer later. */
  keepsText: boolean;
};

/** What is told of a run that has ended: for the log and the metrics. */
export type EndedRunFacts = {
  runId: string;
  app: string;
  address: string;
  traceparent: string | null;
  ended: EndedRun;
  queueMs: number;
};

export type SettlementParts = {
  records: RunRecords;
  endings: RunEndings;
  onEnded: (facts: EndedRunFacts) => void;
  clock: Clock;
  log: Log;
};

export type Settlement = {
  ended: EndedRun;
  origin: RunOrigin;
  /** That were not written yet. */
  events: readonly RunEventDraft[];
  queueMs: number;
};

/** Writes the end down and tells whoever waits. */
export async function settle(
  parts: SettlementParts,
  row: Pick<StoredRun, 'runSeq' | 'runId' | 'appName' | 'traceparent'>,
  { ended, origin, events, queueMs }: Settlement,
): Promise<void> {
  const { records, endings, clock, log } = parts;
  const answer = answerOf(row.runId, origin.requestId, ended);
  const stored = origin.keepsText ? answer : withoutResult(answer);
  const end = { ...endOf(ended, stored, queueMs), events };
  const isStored = await tryToEnd(
    () => records.end(row, end),
    clock,
    (err) => {
      log.error({ err, run_id: row.runId }, 'the end of a run could not be stored');
      endings.tell(row.runId, { kind: 'failed', err });
    },
  );
  if (isStored) endings.tell(row.runId, { kind: 'answered', answer });
  const { runId, appName: app, traceparent } = row;
  parts.onEnded({ runId, app, address: origin.address, traceparent, ended, queueMs });
}

const triesApartMs = 1000;
const triesMax = 60;

/** At once, or as soon as there is room on the disk again; a run that stays open is closed by the next start. */
async function tryToEnd(
  end: () => Promise<void>,
  clock: Clock,
  onFirstFailure: (err: unknown) => void,
): Promise<boolean> {
  for (let tries = 1; tries <= triesMax; tries += 1) {
    try {
      await end();
      return tries === 1;
    } catch (err) {
      if (tries === 1) onFirstFailure(err);
      if (!mayPass(err)) return false;
      await clock.sleep(triesApartMs);
    }
  }
  return false;
}

function mayPass(err: unknown): boolean {
  return err instanceof DatabaseFullError || err instanceof DatabaseBusyError;
}

export function endOf(ended: EndedRun, answer: StoredAnswer, queueMs: number): RunEnd {
  const { outcome, message, finished } = ended;
  return {
    ...{ outcome, message, answer, details: detailsOf(ended, queueMs), events: [] },
    survivors: finished?.survivors ?? 0,
    stderrTail: finished?.stderrTail ?? '',
    spent: finished?.spent ?? nothingSpent,
  };
}

function detailsOf({ message, finished }: EndedRun, queueMs: number): Record<string, JsonValue> {
  const phases = finished?.phases;
  return {
    message,
    queue_ms: queueMs,
    ...(phases === undefined
      ? {}
      : {
          prepare_ms: phases.prepareMs,
          bind_ms: phases.bindMs,
          first_token_ms: phases.firstTokenMs,
        }),
    ...finished?.details,
  };
}
