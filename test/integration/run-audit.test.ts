// What is kept of a run: one row each, whatever its end, with as much of the prompt as the operator wants.
import { createHash } from 'node:crypto';

import { describe, expect, test } from 'vitest';

import { startCheckedGateway } from '../support/leak-check.ts';

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

test('an answer, an error and a timeout leave a row each, found by outcome and app', async () => {
  await using gateway = await startCheckedGateway();
  const token = await gateway.mint('app');
  const other = await gateway.mint('other');
  await gateway.run(token, { prompt: 'hello', model: 'opus', metadata: { ticket: '7' } });
  await gateway.run(token, { prompt: '@@error 500' });
  await gateway.run(token, { prompt: '@@sleep 30000', timeout_secs: 1 });
  await gateway.run(other, { prompt: 'hello' });

  const rows = await gateway.audit('?action=run&app=app');
  expect(rows.map((row) => row.outcome)).toEqual(['timeout_total', 'upstream_error', 'completed']);
  expect(rows[2]).toMatchObject({
    ...{ app: 'app', address: '127.0.0.1', prompt: 'hello', prompt_chars: 5 },
    details: {
      ...{ model: 'opus', model_used: 'opus', prompt_bytes: 5, response_chars: 5 },
      ...{ input_tokens: 100, output_tokens: 20, cost_micro_usd: 400, metadata: { ticket: '7' } },
      ...{ cli_version: '9.9.9 (Claude Code)', sandbox: 'none', survivors: 0 },
      // It had answered: nobody waits until it leaves by itself.
      ...{ exit_code: null, signal: 'SIGKILL', ended_after_result: true },
    },
  });
  for (const row of rows) {
    expect(row.at).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    expect(row.details.duration_ms).toBeGreaterThan(0);
  }
  expect(await gateway.audit('?outcome=upstream_error')).toHaveLength(1);
  expect(await gateway.audit('?action=run&app=other')).toHaveLength(1);
});

describe('a prompt is kept', () => {
  const prompt = 'a secret question \u{1f600}';

  test.each<[policy: string, kept: string | null, hash: string | undefined]>([
    ['full', prompt, undefined],
    ['hash', null, sha256(prompt)],
    ['none', null, undefined],
  ])('as AUDIT_PROMPTS=%s says', async (AUDIT_PROMPTS, kept, hash) => {
    await using gateway = await startCheckedGateway({ env: { AUDIT_PROMPTS } });
    const token = await gateway.mint('app');
    const answer = await gateway.run(token, { prompt });
    expect(answer.body.result).toBe(prompt);
    const [row] = await gateway.audit('?action=run');
    expect(row.prompt).toBe(kept);
    expect(row.details.prompt_sha256).toBe(hash);
    expect(JSON.stringify(row).includes('secret question')).toBe(kept !== null);
    expect(JSON.stringify(gateway.logged())).not.toContain('secret question');
  });
});

describe('a prompt of two megabytes', () => {
  test.each(['none', 'require'])(
    'reaches the CLI byte for byte with SANDBOX=%s',
    async (SANDBOX) => {
      await using gateway = await startCheckedGateway({ env: { SANDBOX } });
      const token = await gateway.mint('app');
      const line = 'caf\u00e9 \u20ac \u{1f600} \u2028 "quoted" \\u2028 \u001b[31m --flag $(id)\r\n';
      const prompt = line.repeat(Math.ceil((2 * 2 ** 20) / Buffer.byteLength(line))).trimEnd();
      const answer = await gateway.run(token, { prompt });
      expect(answer.status).toBe(200);
      expect(sha256(answer.body.result)).toBe(sha256(prompt));
      const [row] = await gateway.audit('?action=run');
      expect(row).toMatchObject({
        ...{ prompt_truncated: true, prompt_chars: Array.from(prompt).length },
        details: { prompt_bytes: Buffer.byteLength(prompt) },
      });
    },
  );
});

test('the CLI gets no user text in its argv and no more environment than it needs', async () => {
  await using gateway = await startCheckedGateway();
  const token = await gateway.mint('app');
  const answer = await gateway.run(token, {
    ...{ prompt: '@@report\n--dangerous canary-text', system: 'canary-system', model: 'opus' },
    ...{ metadata: { note: 'canary-note' }, max_turns: 3, effort: 'low' },
  });
  const { argv, env, told } = answer.body.result;
  expect(argv.join(' ')).not.toMatch(/canary|opus|low/);
  expect(argv).toContain('--max-turns=3');
  expect(told).toEqual({
    ...{ system: ['canary-system'], model: 'opus', effort: 'low', jsonSchema: null },
  });
  expect(Object.keys(env).filter((name) => /ADMIN|GATEWAY|DATA_DIR/.test(name))).toEqual([]);
});
