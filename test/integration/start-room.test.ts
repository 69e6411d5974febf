// LD-08: what the machine cannot carry waits. It is neither refused nor started, and readiness says what is missing.
import { join } from 'node:path';

import { describe, expect, test } from 'vitest';

import { startCheckedGateway } from '../support/leak-check.ts';
import { letGo, untilHeld, waitForGo } from '../support/run-latch.ts';
import { canMount, mountSmallDisk, needsMount } from '../support/small-disk.ts';
import type { TestGateway } from '../support/test-gateway.ts';

const megabyte = 2 ** 20;
const plenty = 4096 * megabyte;

type AsApp = (path: string, body?: object) => ReturnType<TestGateway['fetch']>;

async function asApp(gateway: TestGateway): Promise<AsApp> {
  const headers = {
    authorization: `Bearer ${await gateway.mint('app')}`,
    'content-type': 'application/json',
  };
  return (path, body) =>
    gateway.fetch(path, {
      headers,
      ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
    });
}

async function roomOf(gateway: TestGateway) {
  const { status, body } = await gateway.fetch('/readyz');
  const part = body.parts.find(({ name }: { name: string }) => name === 'room');
  return { status, ok: part.ok, message: part.message };
}

describe('with too little free memory', () => {
  test('a run waits, readiness names the memory, and it starts when there is memory again', async () => {
    let free = plenty;
    await using gateway = await startCheckedGateway({ freeMemoryBytes: () => free });
    const call = await asApp(gateway);
    expect(await roomOf(gateway)).toEqual({
      ...{ status: 200, ok: true, message: 'enough for another run' },
    });

    free = 150 * megabyte;
    const posted = await call('/runs', { prompt: 'hello' });
    expect(posted).toMatchObject({ status: 202, body: { status: 'queued', queue_position: 1 } });
    const path = `/runs/${posted.body.run_id}`;
    expect((await call(path)).body.status).toBe('queued');
    expect(await roomOf(gateway)).toEqual({
      ...{ status: 503, ok: false },
      message: 'runs wait: 150 MB of memory free, 200 MB needed',
    });
    // It has been looked at again, and still waits.
    expect((await call(`${path}?wait=2`)).body.status).toBe('queued');
    expect(await gateway.runDirectories()).toEqual([]);

    free = plenty;
    const ended = await call(`${path}?wait=20`);
    expect(ended.body).toMatchObject({ status: 'ended', outcome: 'completed', result: 'hello' });
    expect(await roomOf(gateway)).toMatchObject({ status: 200, ok: true });
  });

  test('the gateway is ready as long as nobody needs it', async () => {
    await using gateway = await startCheckedGateway({ freeMemoryBytes: () => megabyte });
    expect(await roomOf(gateway)).toEqual({
      ...{ status: 200, ok: true },
      message: 'not enough for another run: 1 MB of memory free, 200 MB needed',
    });
  });
});

describe.skipIf(!canMount)(`a disk that fills up behind a waiting run${needsMount}`, () => {
  test('keeps it waiting, and lets it start when there is room again', async () => {
    using disk = mountSmallDisk(64);
    if (disk === null) return;
    await using gateway = await startCheckedGateway({
      dataDir: join(disk.path, 'data'),
      env: { GATEWAY_CONCURRENCY: '1' },
    });
    const call = await asApp(gateway);
    const first = await call('/runs', { prompt: `${waitForGo}\nfirst` });
    await untilHeld(gateway.runsDir, 1);
    const second = await call('/runs', { prompt: 'second' });

    disk.fill(3000);
    letGo(gateway.runsDir);
    expect((await call(`/runs/${first.body.run_id}?wait=20`)).body.result).toBe('first');
    const path = `/runs/${second.body.run_id}`;
    expect((await call(`${path}?wait=2`)).body.status).toBe('queued');
    const room = await roomOf(gateway);
    expect(room).toMatchObject({ status: 503, ok: false });
    expect(room.message).toMatch(/^runs wait: 3 MB of disk free/);

    disk.empty();
    expect((await call(`${path}?wait=20`)).body).toMatchObject({
      ...{ outcome: 'completed', result: 'second' },
    });
  });
});
