// The checker is worth what it finds: each invariant with a world that breaks it.
import { describe, expect, test } from 'vitest';

import type { GatewayFacts, RunRow } from '../support/gateway-facts.ts';
import { violationsOf } from '../support/invariants.ts';
import { at, completedBody, eventsOf, failedBody, run, sound } from '../support/sound-facts.ts';

test('a sound world has no violation', () => {
  expect(violationsOf(sound)).toEqual([]);
});

const withRun = (changed: RunRow): Partial<GatewayFacts> => ({
  runs: sound.runs.map((each) => (each.runSeq === changed.runSeq ? changed : each)),
});
const counts = (after: object): Partial<GatewayFacts> => ({
  counts: { before: sound.counts!.before, after: { ...sound.counts!.after, ...after } },
});
const eventsOfThird = (...events: [seq: number, type: string][]): Partial<GatewayFacts> => ({
  events: [
    ...sound.events.filter(({ runSeq }) => runSeq !== 3),
    ...events.map(([seq, type]) => ({ runSeq: 3, seq, type, data: failedBody, at: at(3) })),
  ],
});
const executions = (...of: [runId: string, from: number, to: number | null][]) => ({
  executions: of.map(([runId, from, to]) => ({ runId, from, to })),
});

describe.each<{ invariant: string; broken: Record<string, [Partial<GatewayFacts>, string]> }>([
  {
    invariant: 'I1, one terminal state with its audit row and answer',
    broken: {
      'a run that has not ended': [
        withRun(run(3, { state: 'running', outcome: null, isDetached: 0 })),
        'I1: run-3 has not ended: it is running',
      ],
      'a run without an audit row': [{ audit: sound.audit.slice(1) }, 'I1: run-3 has 0 audit rows'],
      'a run with two audit rows': [
        { audit: [...sound.audit, { runId: 'run-1', outcome: 'completed' }] },
        'I1: run-1 has 2 audit rows',
      ],
      'an audit row that says something else': [
        { audit: [{ runId: 'run-3', outcome: 'completed' }, ...sound.audit.slice(1)] },
        'I1: run-3 ended interrupted, its audit row says completed',
      ],
      'an audit row about nothing': [
        { audit: [...sound.audit, { runId: 'run-9', outcome: 'completed' }] },
        'I1: an audit row is about run-9, which was never accepted',
      ],
      'an audit draft that was not used up': [
        withRun(run(1, { auditDraft: '{}' })),
        'I1: run-1 still has the draft of its audit row',
      ],
      'a broken audit chain': [
        { chainFault: 'row 2: it does not follow the row before it' },
        'I1: the audit chain is broken: row 2: it does not follow the row before it',
      ],
      'a run without an answer': [{ answers: sound.answers.slice(1) }, 'I1: run-1 has 0 answers'],
      'an answer that does not fit the outcome': [
        {
          answers: [{ runSeq: 1, statusCode: 502, body: completedBody }, ...sound.answers.slice(1)],
        },
        'I1: run-1 ended completed and is answered with 502',
      ],
      'a run that an app was told of and that is not there': [
        { told: ['run-1', 'run-9'] },
        'I1: run-9 was told to an app and is lost',
      ],
      'a key whose run is not there': [
        { keys: [{ key: 'k', runSeq: 9, statusCode: null }] },
        'I1: nothing answers the idempotency key k',
      ],
      'a key of no run and without an answer': [
        { keys: [{ key: 'k', runSeq: null, statusCode: null }] },
        'I1: nothing answers the idempotency key k',
      ],
    },
  },
  {
    invariant: 'I2, no process without its run',
    broken: {
      'a process of a run that has ended': [
        { processes: [{ pid: 42, runId: 'run-1' }] },
        'I2: process 42 carries the marker of run-1, which is ended',
      ],
      'a process of a run that nobody knows': [
        { processes: [{ pid: 42, runId: 'run-9' }] },
        'I2: process 42 carries the marker of run-9, which is unknown',
      ],
    },
  },
  {
    invariant: 'I4, nothing done twice',
    broken: {
      'two executions of a run at one time': [
        executions(['run-2', 1, 4], ['run-2', 3, 6]),
        'I4: two executions of run-2 overlap',
      ],
      'an execution that goes on beside the next': [
        executions(['run-2', 1, null], ['run-2', 3, 6]),
        'I4: two executions of run-2 overlap',
      ],
      'more executions than attempts': [
        executions(['run-2', 1, 2], ['run-2', 3, 4], ['run-2', 5, 6]),
        'I4: run-2 was executed 3 times in 2 attempts',
      ],
      'a second execution that nobody asked for': [
        { ...executions(['run-1', 1, 2], ['run-1', 3, 4]), ...withRun(run(1, { attempt: 2 })) },
        'I4: run-1 was executed 2 times and has not asked for it',
      ],
      'a run that is tried for ever': [
        withRun(run(2, { onInterrupt: 'retry', attempt: 4 })),
        'I4: run-2 was started 4 times',
      ],
    },
  },
  {
    invariant: 'I5, nothing held on to',
    broken: {
      'open files': [counts({ openFiles: 21 }), 'I5: 21 open files, 20 before'],
      'child processes': [counts({ children: 1 }), 'I5: 1 child processes, 0 before'],
      memory: [counts({ residentMb: 111 }), 'I5: 111 MB of memory, 100 before'],
    },
  },
  {
    invariant: 'I6, no secret where it does not belong',
    broken: {
      'a secret in the log': [
        { leaks: [{ secret: 'the API key', where: 'the log' }] },
        'I6: the API key is in the log',
      ],
    },
  },
  {
    invariant: 'I7, nothing left of what has ended',
    broken: {
      'a directory': [
        { left: [{ path: 'runs/run-1', bytes: 4096 }] },
        'I7: runs/run-1 was left behind with 4096 bytes',
      ],
      'a stored request': [{ requests: [1] }, 'I7: the request of run-1 is still stored'],
      'pinned files': [{ pinned: [1] }, 'I7: run-1 still has files pinned'],
    },
  },
  {
    invariant: 'I8, events numbered from 1 with their end at the end',
    broken: {
      'a gap': [
        eventsOfThird([1, 'run.queued'], [3, 'run.failed']),
        'I8: the events of run-3 are numbered 1, 3',
      ],
      'a repeat': [
        eventsOfThird([1, 'run.queued'], [1, 'run.started'], [2, 'run.failed']),
        'I8: the events of run-3 are numbered 1, 1, 2',
      ],
      'a beginning after 1': [
        eventsOfThird([2, 'run.queued'], [3, 'run.failed']),
        'I8: the events of run-3 are numbered 2, 3',
      ],
      'two ends': [
        eventsOfThird([1, 'run.failed'], [2, 'run.failed']),
        'I8: run-3 has 2 terminal events',
      ],
      'no end': [
        eventsOfThird([1, 'run.queued'], [2, 'run.started']),
        'I8: run-3 has 0 terminal events',
      ],
      'something after the end': [
        eventsOfThird([1, 'run.failed'], [2, 'message.delta']),
        'I8: the last event of run-3 is message.delta, and it ended interrupted',
      ],
      'an end of the wrong kind': [
        eventsOfThird([1, 'run.queued'], [2, 'run.completed']),
        'I8: the last event of run-3 is run.completed, and it ended interrupted',
      ],
      'an end that says something else than the answer': [
        { answers: [{ runSeq: 1, statusCode: 200, body: '{}' }, ...sound.answers.slice(1)] },
        'I8: the last event of run-1 is not its answer',
      ],
    },
  },
  {
    invariant: 'the order of an app',
    broken: {
      'a run that began before as many older ones as may run at one time': [
        {
          events: [
            ...eventsOf(1, 3, 'run.completed', completedBody),
            ...eventsOf(2, 2, 'run.completed', completedBody),
            ...eventsOf(3, 1, 'run.failed', failedBody),
          ],
        },
        'order: run-3 began before 2 older runs',
      ],
    },
  },
])('$invariant', ({ broken }) => {
  test.each(Object.entries(broken))('%s is found', (_name, [change, violation]) => {
    expect(violationsOf({ ...sound, ...change })).toContain(violation);
  });
});

test('runs of several apps may begin in any order', () => {
  const facts = {
    ...sound,
    runs: sound.runs.map((each) => ({ ...each, appId: each.runSeq })),
    events: [
      ...eventsOf(1, 3, 'run.completed', completedBody),
      ...eventsOf(2, 2, 'run.completed', completedBody),
      ...eventsOf(3, 1, 'run.failed', failedBody),
    ],
  };
  expect(violationsOf(facts)).toEqual([]);
});
