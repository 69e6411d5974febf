import { Registry } from 'prom-client';
import { describe, expect, test } from 'vitest';

import { emptyTranscript } from '../../gateway/claude/transcript.ts';
import { createModelLabels } from '../../gateway/metrics/model-label.ts';
import { createRunMetrics } from '../../gateway/metrics/run-metrics.ts';
import type { Spent } from '../../gateway/runs/run-record.ts';
import type { EndedRunFacts } from '../../gateway/runs/run-settlement.ts';
import { parseMetrics } from '../support/metric-samples.ts';

const spentOnOneRun: Spent = {
  ...{ durationMs: 900, model: 'claude-one', costMicroUsd: 400 },
  ...{ inputTokens: 10, outputTokens: 2 },
};

function factsOf(spent: Partial<Spent> | null, queueMs = 0): EndedRunFacts {
  const finished = {
    ...{ verdict: { outcome: 'completed' as const }, transcript: emptyTranscript() },
    ...{ wantsSchema: false, survivors: 0, details: {}, stderrTail: '', session: null },
    phases: { prepareMs: 30, bindMs: 500, firstTokenMs: null, durationMs: 900 },
    spent: { ...spentOnOneRun, ...spent },
  };
  const ended =
    spent === null
      ? { outcome: 'auth' as const, message: 'not signed in', finished: null }
      : { outcome: 'completed' as const, message: null, finished };
  return { runId: 'run-1', app: 'app', address: '::1', traceparent: null, ended, queueMs };
}

async function metricsAfter(...facts: EndedRunFacts[]) {
  const registry = new Registry();
  const ended = createRunMetrics(registry);
  for (const each of facts) ended(each);
  return parseMetrics(await registry.metrics());
}

describe('the metrics of runs', () => {
  test('stay so many whatever names the models have', async () => {
    const facts = Array.from({ length: 500 }, (_, index) => factsOf({ model: `claude-${index}` }));
    const { all, value } = await metricsAfter(...facts);
    const series = all.filter(({ name }) => name === 'gatehouse_runs_total');
    expect(series).toHaveLength(41);
    const others = { app: 'app', outcome: 'completed', model: 'other' };
    expect(value('gatehouse_runs_total', others)).toBe(460);
  });

  test('measure of a run only the parts it came to', async () => {
    const { value } = await metricsAfter(factsOf({}, 70));
    const count = (phase: string) => value('gatehouse_run_phase_seconds_count', { phase });
    expect(['queue', 'prepare', 'bind', 'first_token', 'total'].map(count)).toEqual([
      ...[1, 1, 1, 0, 1],
    ]);
    expect(value('gatehouse_run_phase_seconds_sum', { phase: 'queue' })).toBe(0.07);
  });

  test('count one that was refused when it came, and no time of it', async () => {
    const { value } = await metricsAfter(factsOf(null));
    const labels = { app: 'app', outcome: 'auth', model: 'none' };
    expect(value('gatehouse_runs_total', labels)).toBe(1);
    expect(value('gatehouse_run_phase_seconds_count', { phase: 'queue' })).toBe(0);
    expect(value('gatehouse_spend_usd_total', { app: 'app' })).toBe(0);
  });

  test('know how long one waited that never had its turn', async () => {
    const { value } = await metricsAfter(factsOf(null, 1200));
    expect(value('gatehouse_run_phase_seconds_sum', { phase: 'queue' })).toBe(1.2);
    expect(value('gatehouse_run_phase_seconds_count', { phase: 'total' })).toBe(0);
  });

  test('take no nonsense for a number', async () => {
    const { value } = await metricsAfter(
      factsOf({ costMicroUsd: -5, inputTokens: Number.POSITIVE_INFINITY, outputTokens: null }),
      factsOf({}),
    );
    expect(value('gatehouse_spend_usd_total', { app: 'app' })).toBe(0.0004);
    expect(value('gatehouse_tokens_total', { app: 'app', direction: 'input' })).toBe(10);
    expect(value('gatehouse_tokens_total', { app: 'app', direction: 'output' })).toBe(2);
  });
});

test('a model has its own label as long as there are few, and what is no model has none', () => {
  const label = createModelLabels();
  expect(label('claude-sonnet-5-5')).toBe('claude-sonnet-5-5');
  expect(label(null)).toBe('none');
  expect(label('<synthetic>')).toBe('none');
  expect(label('a "quoted" name\n')).toBe('none');
  for (let index = 0; index < 100; index += 1) label(`claude-${index}`);
  expect(label('claude-99')).toBe('other');
  expect(label('claude-sonnet-5-5')).toBe('claude-sonnet-5-5');
});
