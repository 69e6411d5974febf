// Facts of a gateway with which all is well, for tests to break.
import type { EventRow, GatewayFacts, RunRow } from './gateway-facts.ts';

export const completedBody = '{"ok":true}';
export const failedBody = '{"ok":false}';
export const at = (second: number): string => `2026-01-01T00:00:0${second}.000Z`;

export function run(runSeq: number, rest: Partial<RunRow> = {}): RunRow {
  return {
    ...{ runSeq, runId: `run-${runSeq}`, appId: 1, state: 'ended', outcome: 'completed' },
    ...{ isDetached: 1, onInterrupt: 'fail', attempt: 1, auditDraft: null, ...rest },
  };
}

export function eventsOf(
  runSeq: number,
  second: number,
  lastType: string,
  data: string,
): EventRow[] {
  const types = ['run.queued', 'run.started', lastType];
  return types.map((type, index) => ({
    ...{ runSeq, seq: index + 1, type, at: at(second) },
    data: type === lastType ? data : '{}',
  }));
}

/** One run that was completed, one that was interrupted and done again, one that failed. */
export const sound: GatewayFacts = {
  runs: [
    run(1),
    run(2, { onInterrupt: 'retry', attempt: 2 }),
    run(3, { outcome: 'interrupted', isDetached: 0 }),
  ],
  events: [
    ...eventsOf(1, 1, 'run.completed', completedBody),
    ...eventsOf(2, 2, 'run.completed', completedBody),
    ...eventsOf(3, 3, 'run.failed', failedBody),
  ],
  answers: [
    { runSeq: 1, statusCode: 200, body: completedBody },
    { runSeq: 2, statusCode: 200, body: completedBody },
    { runSeq: 3, statusCode: 503, body: failedBody },
  ],
  requests: [],
  pinned: [],
  keys: [
    { key: 'of-a-run', runSeq: 1, statusCode: null },
    { key: 'of-an-upload', runSeq: null, statusCode: 201 },
  ],
  audit: [
    { runId: 'run-3', outcome: 'interrupted' },
    { runId: 'run-1', outcome: 'completed' },
    { runId: 'run-2', outcome: 'completed' },
  ],
  chainFault: null,
  executions: [
    { runId: 'run-2', from: 1, to: 3 },
    { runId: 'run-1', from: 2, to: 5 },
    { runId: 'run-2', from: 4, to: 6 },
    { runId: 'run-3', from: 7, to: 8 },
  ],
  processes: [],
  left: [],
  leaks: [],
  counts: {
    before: { openFiles: 20, children: 0, residentMb: 100 },
    after: { openFiles: 20, children: 0, residentMb: 109 },
  },
  told: ['run-1', 'run-2'],
  concurrency: 2,
};
