// The phases of a real run, as the log, the audit row and the metrics tell them. The lower bounds are waits that the stub made.
import { setTimeout as sleepFor } from 'node:timers/promises';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { textReply } from '../../cli/model-stub-reply.ts';
import { readMetrics } from '../support/metric-samples.ts';
import { startModelGateway } from '../support/model-gateway.ts';
import type { ModelGateway } from '../support/model-gateway.ts';

const thinkMs = 1000;
const chunks = 8;
const chunkDelayMs = 100;
/** Timers may be a little early, and every number is rounded. */
const slackMs = 20;

let gateway: ModelGateway;
beforeAll(async () => {
  gateway = await startModelGateway({ GATEWAY_CONCURRENCY: '1' });
});
afterAll(() => gateway[Symbol.asyncDispose]());

async function slowAnswer() {
  await sleepFor(thinkMs);
  return textReply('word '.repeat(chunks), { chunkChars: 5, chunkDelayMs });
}

type Line = Record<string, number>;

function lineOf(runId: string): Line {
  const line = gateway.logged().find(({ msg, run_id }) => msg === 'run ended' && run_id === runId);
  if (line === undefined) throw new Error(`no line for ${runId}`);
  return line as Line;
}

const phases = ['queue_ms', 'prepare_ms', 'bind_ms', 'first_token_ms', 'duration_ms'] as const;
const phasesOf = (from: Line) => Object.fromEntries(phases.map((phase) => [phase, from[phase]]));
const whole = expect.toSatisfy((value) => Number.isInteger(value) && value >= 0);

describe('the line of a run in the log', () => {
  it('has every phase of it, each with what belongs to it', async () => {
    const { body } = await gateway.ask(slowAnswer);
    expect(body.result).toBe('word '.repeat(chunks));
    const line = lineOf(body.run_id);
    expect(phasesOf(line)).toEqual({
      ...{ queue_ms: whole, prepare_ms: whole, bind_ms: whole, first_token_ms: whole },
      duration_ms: body.duration_ms,
    });
    const { bind_ms = 0, first_token_ms = 0, duration_ms = 0 } = line;
    // It takes the request up before it asks the model, which thinks; then it streams.
    expect(first_token_ms).toBeGreaterThanOrEqual(thinkMs - slackMs);
    const streamingMs = (chunks - 1) * chunkDelayMs;
    expect(duration_ms).toBeGreaterThanOrEqual(bind_ms + first_token_ms + streamingMs - slackMs);
    const [row] = await gateway.audit('?limit=1');
    expect(phasesOf(row.details)).toEqual(phasesOf(line));
  });

  it('counts the wait for its turn in queue_ms, and in nothing else', async () => {
    const first = gateway.ask(slowAnswer);
    await expect.poll(() => gateway.model.calls.length, { timeout: 20_000 }).toBe(1);
    const token = await gateway.mint('another');
    const second = await gateway.run(token, { prompt: 'hello' });
    await first;
    const line = lineOf(second.body.run_id);
    expect(line['queue_ms']).toBeGreaterThanOrEqual(thinkMs - slackMs);
    expect(line['duration_ms']).toBe(second.body.duration_ms);
  });

  it('agrees with the metrics', async () => {
    const ended = gateway.logged().filter(({ msg }) => msg === 'run ended') as Line[];
    const { value } = await readMetrics(gateway);
    const names = ['queue', 'prepare', 'bind', 'first_token', 'total'];
    for (const [index, phase] of names.entries()) {
      const logged = ended.map((line) => line[phases[index] ?? ''] ?? 0);
      const sum = logged.reduce((before, each) => before + each, 0);
      expect(value('gatehouse_run_phase_seconds_sum', { phase })).toBeCloseTo(sum / 1000, 6);
    }
  });
});
