// What runs did since the start: how they ended, how long their parts took, what they spent.
import { Counter, Histogram } from 'prom-client';
import type { Registry } from 'prom-client';

import type { EndedRunFacts } from '../runs/run-settlement.ts';
import { createModelLabels } from './model-label.ts';

const phaseBucketsSecs = [
  ...[0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
  ...[60, 120, 300, 600, 1800, 3600],
];

/** Gives what is to be called with each run that has ended. */
export function createRunMetrics(registry: Registry): (facts: EndedRunFacts) => void {
  const registers = [registry];
  const modelLabel = createModelLabels();
  const ended = new Counter({
    name: 'gatehouse_runs_total',
    help: 'Runs that have ended, by app, outcome and the model that answered (none where no model did).',
    labelNames: ['app', 'outcome', 'model'],
    registers,
  });
  const phases = new Histogram({
    name: 'gatehouse_run_phase_seconds',
    help: 'How long the parts of a run took: queue (waiting for its turn), prepare, bind, first_token, total (without the queue).',
    labelNames: ['phase'],
    buckets: phaseBucketsSecs,
    registers,
  });
  const spend = new Counter({
    name: 'gatehouse_spend_usd_total',
    help: 'What runs cost, in US dollars, by app, as Claude Code reckons it.',
    labelNames: ['app'],
    registers,
  });
  const tokens = new Counter({
    name: 'gatehouse_tokens_total',
    help: 'Tokens of runs by app, input (without what came from the prompt cache) and output.',
    labelNames: ['app', 'direction'],
    registers,
  });
  for (const [phase] of phasesOf(nothingMeasured)) phases.zero({ phase });

  return (facts) => {
    const { app, ended: run } = facts;
    const spent = run.finished?.spent;
    ended.inc({ app, outcome: run.outcome, model: modelLabel(spent?.model ?? null) });
    spend.inc({ app }, countable(spent?.costMicroUsd) / 1e6);
    tokens.inc({ app, direction: 'input' }, countable(spent?.inputTokens));
    tokens.inc({ app, direction: 'output' }, countable(spent?.outputTokens));
    for (const [phase, ms] of phasesOf(measured(facts))) {
      if (ms !== null) phases.observe({ phase }, ms / 1000);
    }
  };
}

type Measured = Record<
  'queueMs' | 'prepareMs' | 'bindMs' | 'firstTokenMs' | 'totalMs',
  number | null
>;

const nothingMeasured: Measured = {
  ...{ queueMs: null, prepareMs: null, bindMs: null, firstTokenMs: null, totalMs: null },
};

function measured({ queueMs, ended: { finished } }: EndedRunFacts): Measured {
  // A run that was refused when it came has waited for nothing.
  if (finished === null) return { ...nothingMeasured, queueMs: queueMs > 0 ? queueMs : null };
  return { ...finished.phases, queueMs, totalMs: finished.spent.durationMs };
}

function phasesOf(ms: Measured): [phase: string, ms: number | null][] {
  return [
    ['queue', ms.queueMs],
    ['prepare', ms.prepareMs],
    ['bind', ms.bindMs],
    ['first_token', ms.firstTokenMs],
    ['total', ms.totalMs],
  ];
}

/** The CLI's numbers are what its API tells, and a counter takes no nonsense. */
function countable(value: number | null | undefined): number {
  return typeof value === 'number' && Number.isFinite(value) && value > 0 ? value : 0;
}
