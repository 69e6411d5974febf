// SIGTERM: what runs may end, what waits is told, and nothing is left whatever happens.
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';

import { describe, expect, test } from 'vitest';

import { startGatewayProcess } from '../support/gateway-process.ts';
import type { GatewayProcess } from '../support/gateway-process.ts';
import { expectNothingLeft, readRuns } from '../support/leak-check.ts';
import { letGo, untilHeld, waitForGo } from '../support/run-latch.ts';

const runsDir = ({ dataDir }: GatewayProcess): string => join(dataDir, 'runs');

/** So many runs that are held. */
async function hold(gateway: GatewayProcess, count: number, prompt = `${waitForGo}\nheld`) {
  const token = await gateway.mint('app');
  const answers = Array.from({ length: count }, () => gateway.run(token, { prompt }));
  await untilHeld(runsDir(gateway), count);
  return { token, answers };
}

async function untilStopping(gateway: GatewayProcess): Promise<void> {
  await expect.poll(() => gateway.stdout()).toContain('"msg":"stopping"');
}

describe.each(['none', 'require'])('with SANDBOX=%s, a gateway that is told to stop', (SANDBOX) => {
  test('lets its runs end, takes no more, and exits with 0', async () => {
    await using gateway = await startGatewayProcess({ env: { SANDBOX, GATEWAY_CONCURRENCY: '3' } });
    const { token, answers } = await hold(gateway, 3);
    const waiting = gateway.run(token, { prompt: 'still waiting' });
    await expect.poll(() => readRuns(gateway.dataDir).length).toBe(4);
    gateway.child.kill('SIGTERM');
    const interrupted = { code: 'interrupted', retryable: true, retry_after_secs: 5 };
    const told = await waiting;
    expect(told).toMatchObject({ status: 503, body: { error: interrupted } });
    expect(told.headers.get('connection')).toBe('close');

    const refused = await gateway.run(token, { prompt: 'too late' });
    const draining = { code: 'draining', retryable: true };
    expect(refused).toMatchObject({ status: 503, body: { ok: false, error: draining } });
    expect(refused.headers.get('retry-after')).toMatch(/^\d+$/);

    expect((await gateway.fetch('/livez')).status).toBe(200);
    const ready = await gateway.fetch('/readyz');
    expect(ready).toMatchObject({ status: 503, body: { ok: false } });
    expect(ready.body.parts[0]).toMatchObject({ name: 'door', ok: false });

    letGo(runsDir(gateway));
    for (const answer of await Promise.all(answers)) {
      expect(answer).toMatchObject({ status: 200, body: { result: 'held' } });
    }
    expect(await gateway.exited).toEqual([0, null]);
    await expectNothingLeft(gateway.dataDir);
  });

  test('interrupts what is not done within its grace, and exits with 0', async () => {
    await using gateway = await startGatewayProcess({
      env: { SANDBOX, GATEWAY_CONCURRENCY: '2', SHUTDOWN_GRACE_SECS: '0.5' },
    });
    const { answers } = await hold(gateway, 2, `@@ignore-term\n@@ignore-interrupt\n${waitForGo}`);
    gateway.child.kill('SIGTERM');
    for (const answer of await Promise.all(answers)) {
      expect(answer).toMatchObject({ status: 503, body: { error: { code: 'interrupted' } } });
    }
    expect(await gateway.exited).toEqual([0, null]);
    await expectNothingLeft(gateway.dataDir);
  });

  test('twice kills its runs and exits with 1 at once; the next start closes their rows', async () => {
    await using gateway = await startGatewayProcess({ env: { SANDBOX }, keep: true });
    const { answers } = await hold(gateway, 1, `@@ignore-term\n@@ignore-interrupt\n${waitForGo}`);
    const outcomes = Promise.allSettled(answers);
    gateway.child.kill('SIGTERM');
    await untilStopping(gateway);
    gateway.child.kill('SIGTERM');
    expect(await gateway.exited).toEqual([1, null]);
    await outcomes;
    await using next = await startGatewayProcess({ env: { SANDBOX }, dataDir: gateway.dataDir });
    await expectNothingLeft(next.dataDir);
    const [row] = await next.audit('?action=run');
    expect(row.outcome).toBe('interrupted');
  });
});

test('a connection on which nothing was said does not hold the stop up', async () => {
  await using gateway = await startGatewayProcess();
  const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1');
  await once(socket, 'connect');
  const closed = once(
    socket.on('error', () => {}),
    'close',
  );
  expect((await gateway.fetch('/livez')).status).toBe(200);
  gateway.child.kill('SIGTERM');
  await closed;
  expect(await gateway.exited).toEqual([0, null]);
});
