// What must be true of a gateway when no run of it is under way, whatever happened before: I1 to I8 of the test plan. I3 is the
// watcher's: it is about posts. Facts in, violations in words out.
import { isLastRunEvent } from '#shared/gateway-event-api.ts';

import { attemptsMax } from '../../gateway/runs/run-state.ts';
import type { EventRow, GatewayFacts, RunRow } from './gateway-facts.ts';

/** Empty when all is well. */
export function violationsOf(facts: GatewayFacts): string[] {
  const eventsByRun = Map.groupBy(facts.events, ({ runSeq }) => runSeq);
  const eventsOf = (run: RunRow): EventRow[] => eventsByRun.get(run.runSeq) ?? [];
  return [
    ...facts.runs.flatMap((run) => [
      ...faultsOfEnd(run, facts),
      ...faultsOfExecutions(run, facts),
      ...faultsOfEvents(run, eventsOf(run)),
      ...faultsOfAnswer(run, eventsOf(run), facts),
    ]),
    ...faultsOfRecords(facts),
    ...faultsOfProcesses(facts),
    ...faultsOfCounts(facts),
    ...facts.leaks.map(({ secret, where }) => `I6: ${secret} is in ${where}`),
    ...facts.left.map(({ path, bytes }) => `I7: ${path} was left behind with ${bytes} bytes`),
    ...faultsOfOrder(facts.runs, eventsOf, facts.concurrency),
  ];
}

function faultsOfEnd(run: RunRow, { audit, requests, pinned }: GatewayFacts): string[] {
  const { runId, runSeq, state, outcome } = run;
  const rows = audit.filter((row) => row.runId === runId);
  const differing = rows.filter((row) => row.outcome !== outcome);
  return [
    ...when(state !== 'ended' || outcome === null, `I1: ${runId} has not ended: it is ${state}`),
    ...when(rows.length !== 1, `I1: ${runId} has ${rows.length} audit rows`),
    ...differing.map((row) => `I1: ${runId} ended ${outcome}, its audit row says ${row.outcome}`),
    ...when(run.auditDraft !== null, `I1: ${runId} still has the draft of its audit row`),
    ...when(requests.includes(runSeq), `I7: the request of ${runId} is still stored`),
    ...when(pinned.includes(runSeq), `I7: ${runId} still has files pinned`),
  ];
}

function faultsOfAnswer(run: RunRow, events: readonly EventRow[], facts: GatewayFacts): string[] {
  const { runId, runSeq, outcome } = run;
  const answers = facts.answers.filter((answer) => answer.runSeq === runSeq);
  const [answer] = answers;
  if (answer === undefined || answers.length > 1) {
    return [`I1: ${runId} has ${answers.length} answers`];
  }
  const { statusCode, body } = answer;
  return [
    ...when(
      (statusCode === 200) !== (outcome === 'completed'),
      `I1: ${runId} ended ${outcome} and is answered with ${statusCode}`,
    ),
    ...when(events.at(-1)?.data !== body, `I8: the last event of ${runId} is not its answer`),
  ];
}

function faultsOfRecords(facts: GatewayFacts): string[] {
  const ids = new Set(facts.runs.map(({ runId }) => runId));
  const seqs = new Set(facts.runs.map(({ runSeq }) => runSeq));
  const unknown = (runId: string | null): boolean => runId === null || !ids.has(runId);
  return [
    ...facts.told.filter(unknown).map((runId) => `I1: ${runId} was told to an app and is lost`),
    ...facts.audit
      .filter(({ runId }) => unknown(runId))
      .map(({ runId }) => `I1: an audit row is about ${runId}, which was never accepted`),
    ...when(facts.chainFault !== null, `I1: the audit chain is broken: ${facts.chainFault}`),
    ...facts.keys
      .filter(({ runSeq, statusCode }) =>
        runSeq === null ? statusCode === null : !seqs.has(runSeq),
      )
      .map(({ key }) => `I1: nothing answers the idempotency key ${key}`),
  ];
}

function faultsOfProcesses({ processes, runs }: GatewayFacts): string[] {
  const states = new Map(runs.map(({ runId, state }) => [runId, state]));
  return processes.flatMap(({ pid, runId }) => {
    const state = states.get(runId) ?? 'unknown';
    const mayLive = state === 'starting' || state === 'running';
    return when(!mayLive, `I2: process ${pid} carries the marker of ${runId}, which is ${state}`);
  });
}

function faultsOfExecutions(run: RunRow, { executions }: GatewayFacts): string[] {
  const { runId, attempt, onInterrupt } = run;
  const own = executions.filter((each) => each.runId === runId);
  const overlaps = own.some((one, index) =>
    own.slice(index + 1).some((next) => one.to === null || next.from < one.to),
  );
  return [
    ...when(overlaps, `I4: two executions of ${runId} overlap`),
    ...when(
      own.length > attempt,
      `I4: ${runId} was executed ${own.length} times in ${attempt} attempts`,
    ),
    ...when(
      own.length > 1 && onInterrupt !== 'retry',
      `I4: ${runId} was executed ${own.length} times and has not asked for it`,
    ),
    ...when(attempt > attemptsMax, `I4: ${runId} was started ${attempt} times`),
  ];
}

function faultsOfCounts({ counts }: GatewayFacts): string[] {
  if (counts === null) return [];
  const { before, after } = counts;
  const [mbBefore, mbAfter] = [before.residentMb ?? 0, after.residentMb ?? 0];
  return [
    ...when(
      after.openFiles > before.openFiles,
      `I5: ${after.openFiles} open files, ${before.openFiles} before`,
    ),
    ...when(
      after.children > before.children,
      `I5: ${after.children} child processes, ${before.children} before`,
    ),
    ...when(
      mbAfter > mbBefore * 1.1,
      `I5: ${mbAfter.toFixed(0)} MB of memory, ${mbBefore.toFixed(0)} before`,
    ),
  ];
}

function faultsOfEvents({ runId, outcome }: RunRow, events: readonly EventRow[]): string[] {
  const terminal = events.filter(({ type }) => isLastRunEvent(type));
  const lastType = outcome === 'completed' ? 'run.completed' : 'run.failed';
  const seqs = events.map(({ seq }) => seq);
  return [
    ...when(
      seqs.some((seq, index) => seq !== index + 1),
      `I8: the events of ${runId} are numbered ${seqs.join(', ')}`,
    ),
    ...when(terminal.length !== 1, `I8: ${runId} has ${terminal.length} terminal events`),
    ...when(
      events.at(-1)?.type !== lastType,
      `I8: the last event of ${runId} is ${events.at(-1)?.type}, and it ended ${outcome}`,
    ),
  ];
}

/** Of an app's runs, one that came later may begin before another only while both have their turn. */
function faultsOfOrder(
  runs: readonly RunRow[],
  eventsOf: (run: RunRow) => readonly EventRow[],
  concurrency: number,
): string[] {
  const begun = runs.flatMap((run) => {
    const first = eventsOf(run).find(({ type }) => type === 'run.started');
    return first === undefined ? [] : [{ ...run, at: first.at }];
  });
  return begun.flatMap(({ runId, appId, runSeq, at }) => {
    const passed = begun.filter(
      (other) => other.appId === appId && other.runSeq < runSeq && other.at > at,
    );
    return when(
      passed.length >= concurrency,
      `order: ${runId} began before ${passed.length} older runs`,
    );
  });
}

function when(isWrong: boolean, fault: string): string[] {
  return isWrong ? [fault] : [];
}
