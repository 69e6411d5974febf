// A CLI that misbehaves in every way we know, with and without a sandbox: one honest outcome, and nothing left behind.
import { describe, expect, test } from 'vitest';

import { startCheckedGateway } from '../support/leak-check.ts';
import { createProgramDirectory } from '../support/stand-in-program.ts';

type Fault = {
  prompt: string;
  status: number;
  code: string;
  row?: object;
  env?: Record<string, string>;
  asked?: object;
};

const faults: Record<string, Fault> = {
  'exits with 0 and says nothing': {
    ...{ prompt: '@@exit 0', status: 502, code: 'crashed' },
    row: { exit_code: 0, results: 0, model_used: null },
  },
  'exits with 1 and says why on stderr only': {
    ...{ prompt: '@@stderr the reason\n@@exit 1', status: 502, code: 'crashed' },
    row: { exit_code: 1, stderr_tail: 'the reason\n' },
  },
  'says what is no protocol': {
    ...{ prompt: '@@garbage 2\n@@exit 0', status: 502, code: 'crashed' },
    row: { garbage_lines: 7 },
  },
  'cuts its answer in the middle of a line': {
    ...{ prompt: '@@cut-json\n@@exit 0', status: 502, code: 'crashed' },
    row: { exit_code: 0, results: 0 },
  },
  'answers without a result': {
    ...{ prompt: '@@no-result\n@@exit 0', status: 502, code: 'crashed' },
    row: { results: 0 },
  },
  'gives an empty answer': { prompt: '@@empty', status: 502, code: 'empty' },
  'tells an API error with exit 0': {
    ...{ prompt: '@@error-exit-0 500', status: 502, code: 'upstream_error' },
    row: { exit_code: 0 },
  },
  'starts and does not begin with the prompt': {
    ...{ prompt: '@@silent', status: 504, code: 'timeout_start' },
    env: { RUN_START_SECS: '2' },
  },
  'falls silent after its beginning': {
    ...{ prompt: '@@init-then-silence', status: 504, code: 'timeout_idle' },
    env: { RUN_IDLE_SECS: '1' },
  },
  'talks for ever': {
    ...{ prompt: '@@talk-for-ever 20', status: 504, code: 'timeout_total' },
    asked: { timeout_secs: 2 },
  },
};

describe.each(['none', 'require'])('with SANDBOX=%s, a CLI that', (SANDBOX) => {
  test.each(Object.entries(faults))('%s', async (_name, fault) => {
    const { prompt, status, code, row = {}, env = {}, asked = {} } = fault;
    await using gateway = await startCheckedGateway({ env: { SANDBOX, ...env } });
    const token = await gateway.mint('app');
    const answer = await gateway.run(token, { prompt, ...asked });
    expect(answer).toMatchObject({ status, body: { ok: false, error: { code } } });
    const [audited] = await gateway.audit('?action=run');
    expect(audited).toMatchObject({ outcome: code, run_id: answer.body.run_id, details: row });
    const next = await gateway.run(token, { prompt: 'the next one' });
    expect(next.body.result).toBe('the next one');
  });

  test('gives no sign of life at all', async () => {
    using programs = createProgramDirectory();
    const CLAUDE_BIN = programs.script('mute', 'exec sleep 300');
    await using gateway = await startCheckedGateway({
      env: { SANDBOX, CLAUDE_BIN, RUN_START_SECS: '0.5' },
    });
    const answer = await gateway.run(await gateway.mint('app'), { prompt: 'hello' });
    expect(answer).toMatchObject({ status: 504, body: { error: { code: 'timeout_start' } } });
    const [{ details }] = await gateway.audit('?action=run');
    expect(details).toMatchObject({ first_event_ms: null, cli_version: '1.2.3 (Stand-in)' });
  });

  test('is deaf to interrupt and SIGTERM is killed, and its place is free again', async () => {
    await using gateway = await startCheckedGateway({
      env: { SANDBOX, GATEWAY_CONCURRENCY: '1', RUN_IDLE_SECS: '1' },
    });
    const token = await gateway.mint('app');
    const prompt = '@@ignore-term\n@@ignore-interrupt\n@@init\n@@silent';
    const answer = await gateway.run(token, { prompt });
    expect(answer).toMatchObject({ status: 504, body: { error: { code: 'timeout_idle' } } });
    const next = await gateway.run(token, { prompt: 'the next one' });
    expect(next.body.result).toBe('the next one');
  });

  test('is deaf to interrupt is told by SIGTERM', async () => {
    await using gateway = await startCheckedGateway({ env: { SANDBOX, RUN_IDLE_SECS: '1' } });
    const token = await gateway.mint('app');
    const prompt = '@@ignore-interrupt\n@@init\n@@silent';
    const answer = await gateway.run(token, { prompt });
    expect(answer).toMatchObject({ status: 504, body: { error: { code: 'timeout_idle' } } });
    const [{ details }] = await gateway.audit('?action=run');
    // By the signal itself or, through bwrap, as its exit code; SIGKILL would be 137.
    expect([details.exit_code, details.signal]).toEqual(
      SANDBOX === 'none' ? [null, 'SIGTERM'] : [143, null],
    );
  });

  test('leaves a grandchild that holds its output has answered all the same', async () => {
    await using gateway = await startCheckedGateway({ env: { SANDBOX } });
    const token = await gateway.mint('app');
    const answer = await gateway.run(token, { prompt: '@@setsid 300000\na good answer' });
    expect(answer).toMatchObject({ status: 200, body: { result: 'a good answer' } });
  });

  test('wakes up again after its result has answered with the last one', async () => {
    await using gateway = await startCheckedGateway({ env: { SANDBOX } });
    const answer = await gateway.run(await gateway.mint('app'), { prompt: '@@two-results' });
    expect(answer.body).toMatchObject({ ok: true, result: 'second result' });
    const [{ details }] = await gateway.audit('?action=run');
    expect(details).toMatchObject({ results: 2 });
  });

  test('ends before it has read eight megabytes is told by its exit and its last words', async () => {
    using programs = createProgramDirectory();
    const CLAUDE_BIN = programs.copyOfFake('early-exit.ts');
    await using gateway = await startCheckedGateway({ env: { SANDBOX, CLAUDE_BIN } });
    const token = await gateway.mint('app');
    const answer = await gateway.run(token, { prompt: 'x'.repeat(8 * 2 ** 20) });
    expect(answer).toMatchObject({ status: 502, body: { error: { code: 'crashed' } } });
    const [{ details }] = await gateway.audit('?action=run');
    expect(details).toMatchObject({
      ...{ exit_code: 3, stderr_tail: 'fake-claude: ended before reading\n' },
    });
  });
});
