// What a run does from outside, written once: tried with the fake CLI and with the real one, so that the fake cannot drift.
import { describe, expect, test } from 'vitest';

import type { Answer } from './gateway-client.ts';
import { expectNothingLeft, readRuns } from './leak-check.ts';
import type { TestGateway } from './test-gateway.ts';

/** What the model is to do with the prompt. */
export type Wish =
  | { does: 'say'; text: string }
  | { does: 'structure'; value: object }
  | { does: 'fail'; status: number }
  | { does: 'say nothing' | 'fall silent' | 'use a tool' | 'say prose for a schema' };

export type Told = { prompt: string; system: string; model: string };

export type BehaviourWorld = AsyncDisposable & {
  gateway: TestGateway;
  ask: (wish: Wish, request?: Record<string, unknown>, signal?: AbortSignal) => Promise<Answer>;
  /** A run of which is known what the model was told. */
  listen: (request: Record<string, unknown>) => Promise<Told>;
};

const json_schema = {
  type: 'object',
  properties: { a: { type: 'string' } },
  required: ['a'],
  additionalProperties: false,
};

const answers: [name: string, text: string, result: unknown][] = [
  ['a text', 'Hello there.', 'Hello there.'],
  ['a number, as text', '42', '42'],
  ['an object', '{"a":1}', { a: 1 }],
  ['an object in a fence', '```json\n{"a":[1,2]}\n```', { a: [1, 2] }],
  ['a fence with prose around it', 'See:\n```json\n{"a":1}\n```', 'See:\n```json\n{"a":1}\n```'],
];

const failures: [name: string, Wish, request: object, status: number, code: string][] = [
  ['an empty answer', { does: 'say nothing' }, {}, 502, 'empty'],
  ['a broken API', { does: 'fail', status: 500 }, {}, 502, 'upstream_error'],
  ['an overloaded API', { does: 'fail', status: 529 }, {}, 503, 'overloaded'],
  ['a wrong credential', { does: 'fail', status: 401 }, {}, 503, 'auth'],
  ['a model that does not exist', { does: 'fail', status: 404 }, {}, 422, 'model_unavailable'],
  ['too many turns', { does: 'use a tool' }, { max_turns: 1 }, 422, 'max_turns'],
  [
    'prose for a schema',
    { does: 'say prose for a schema' },
    { json_schema },
    422,
    'schema_invalid',
  ],
  ['no answer in time', { does: 'fall silent' }, { timeout_secs: 2 }, 504, 'timeout_total'],
];

export function describeBehaviour(name: string, start: () => Promise<BehaviourWorld>): void {
  describe(`a run of ${name}`, () => {
    test.each(answers)('answers with %s', async (_name, text, result) => {
      await using world = await start();
      const { status, body } = await world.ask({ does: 'say', text });
      expect({ status, result: body.result }).toEqual({ status: 200, result });
      await expectNothingLeft(world.gateway.dataDir);
    });

    test('tells what it cost, which model answered and why it stopped', async () => {
      await using world = await start();
      const { body } = await world.ask({ does: 'say', text: 'Hello.' }, { model: 'sonnet' });
      expect(body).toEqual({
        ...{ ok: true, run_id: expect.stringMatching(/^run_/), result: 'Hello.' },
        ...{ stop_reason: 'end_turn', model: expect.stringContaining('sonnet') },
        ...{ duration_ms: expect.any(Number), cost_usd: expect.any(Number) },
        usage: {
          ...{ input_tokens: 100, output_tokens: 20 },
          ...{ cache_creation_input_tokens: 0, cache_read_input_tokens: 0 },
        },
      });
      expect(body.cost_usd).toBeGreaterThan(0);
      const [row] = await world.gateway.audit('?action=run');
      expect(row.details).toMatchObject({ input_tokens: 100, output_tokens: 20, survivors: 0 });
      expect(row.details.cost_micro_usd).toBe(Math.round(body.cost_usd * 1e6));
    });

    test('hands on the prompt, the system prompt and the model as they were written', async () => {
      await using world = await start();
      const prompt = '--flag @/etc/hostname "quoted" \u2028 caf\u00e9 \u{1f600}';
      const system = 'Answer in one\nword: \u20ac.';
      const told = await world.listen({ prompt, system, model: 'opus' });
      expect(told.prompt).toContain(prompt);
      expect(told.system).toContain(system);
      expect(told.model).toContain('opus');
    });

    test('answers with the object that a schema asked for', async () => {
      await using world = await start();
      const value = { a: 'x' };
      const { status, body } = await world.ask({ does: 'structure', value }, { json_schema });
      expect({ status, result: body.result }).toEqual({ status: 200, result: value });
    });

    test.each(failures)('is told apart: %s', async (_name, wish, request, status, code) => {
      await using world = await start();
      const answer = await world.ask(wish, { ...request });
      expect(answer).toMatchObject({ status, body: { ok: false, error: { code } } });
      await expectNothingLeft(world.gateway.dataDir);
      const [row] = await world.gateway.audit('?action=run');
      expect(row).toMatchObject({ outcome: code, run_id: answer.body.run_id });
    });

    test('ends when its client goes away', async () => {
      await using world = await start();
      const client = new AbortController();
      const answer = world.ask({ does: 'fall silent' }, {}, client.signal);
      const runs = () => readRuns(world.gateway.dataDir).map((run) => run.state);
      await expect.poll(runs, { timeout: 15_000 }).toEqual(['running']);
      client.abort();
      await expect(answer).rejects.toMatchObject({ name: 'AbortError' });
      await expectNothingLeft(world.gateway.dataDir);
      const [row] = await world.gateway.audit('?action=run');
      expect(row.outcome).toBe('client_gone');
    });
  });
}
