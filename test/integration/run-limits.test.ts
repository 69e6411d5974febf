// What a run may use up: output, disk, time. Each has an outcome of its own.
import { describe, expect, test } from 'vitest';

import { startCheckedGateway } from '../support/leak-check.ts';

describe.each(['none', 'require'])('with SANDBOX=%s', (SANDBOX) => {
  test.each([
    ['in many lines', '@@print 3'],
    ['in one line', '@@long-line 3'],
  ])('a run that writes more than its limit %s is ended', async (_how, prompt) => {
    await using gateway = await startCheckedGateway({ env: { SANDBOX, RUN_OUTPUT_LIMIT_MB: '1' } });
    const token = await gateway.mint('app');
    const answer = await gateway.run(token, { prompt });
    const error = { code: 'output_too_large', retryable: false };
    expect(answer).toMatchObject({ status: 502, body: { error } });
    const [row] = await gateway.audit('?action=run');
    expect(row.details.stdout_bytes).toBeGreaterThan(2 ** 20);
  });

  test('a run that fills its directory is ended, and its files are gone', async () => {
    await using gateway = await startCheckedGateway({ env: { SANDBOX, RUN_DISK_LIMIT_MB: '2' } });
    const token = await gateway.mint('app');
    const answer = await gateway.run(token, { prompt: '@@fill-disk 4\n@@init-then-silence' });
    const error = { code: 'disk_full', retryable: true };
    expect(answer).toMatchObject({ status: 507, body: { error } });
    expect(await gateway.runDirectories()).toEqual([]);
  });

  test('a run of timeout_secs 2 has not the thirty seconds it would need', async () => {
    await using gateway = await startCheckedGateway({ env: { SANDBOX } });
    const token = await gateway.mint('app');
    const answer = await gateway.run(token, { prompt: '@@sleep 30000', timeout_secs: 2 });
    const error = { code: 'timeout_total', retryable: false };
    expect(answer).toMatchObject({ status: 504, body: { ok: false, error } });
    const [row] = await gateway.audit('?action=run');
    expect(row).toMatchObject({ outcome: 'timeout_total', details: { timeout_secs: 2 } });
    expect(row.details.duration_ms).toBeGreaterThanOrEqual(2000);
    expect(row.details.duration_ms).toBeLessThan(20_000);
  });
});

test('output below the limit is no fault, however many lines it has', async () => {
  await using gateway = await startCheckedGateway({ env: { RUN_OUTPUT_LIMIT_MB: '8' } });
  const token = await gateway.mint('app');
  const answer = await gateway.run(token, { prompt: '@@print 2\nan answer' });
  expect(answer).toMatchObject({ status: 200, body: { result: 'an answer' } });
});

test('the deadlines of an app are its own', async () => {
  await using gateway = await startCheckedGateway();
  const token = await gateway.mint('hasty', { timeout_secs_max: 1 });
  const answer = await gateway.run(token, { prompt: '@@sleep 30000' });
  expect(answer).toMatchObject({ status: 504, body: { error: { code: 'timeout_total' } } });
  const refused = await gateway.run(token, { prompt: 'hello', timeout_secs: 2 });
  expect(refused).toMatchObject({
    status: 400,
    body: { error: { code: 'invalid_request', details: { field: 'timeout_secs' } } },
  });
});
