// A client that goes away takes its run with it; one that stays is answered.
import { describe, expect, test } from 'vitest';

import { readRuns, startCheckedGateway } from '../support/leak-check.ts';
import { letGo, untilHeld, waitForGo } from '../support/run-latch.ts';

const goneError = { name: 'AbortError' };

describe.each(['none', 'require'])('with SANDBOX=%s, a client that', (SANDBOX) => {
  test('goes away during its run ends it', async () => {
    await using gateway = await startCheckedGateway({ env: { SANDBOX } });
    const token = await gateway.mint('app');
    const client = new AbortController();
    const answer = gateway.run(token, { prompt: `${waitForGo}\nhello` }, client.signal);
    await untilHeld(gateway.runsDir, 1);
    client.abort();
    await expect(answer).rejects.toMatchObject(goneError);
    await expect
      .poll(async () => (await gateway.audit('?action=run'))[0]?.outcome)
      .toBe('client_gone');
    expect(await gateway.runDirectories()).toEqual([]);
    expect(gateway.logged()).toContainEqual(
      expect.objectContaining({ msg: 'run ended', outcome: 'client_gone' }),
    );
  });

  test('goes away from a run that is deaf is gone all the same', async () => {
    await using gateway = await startCheckedGateway({ env: { SANDBOX } });
    const token = await gateway.mint('app');
    const client = new AbortController();
    const prompt = `@@ignore-term\n@@ignore-interrupt\n@@setsid 300000\n${waitForGo}`;
    const answer = gateway.run(token, { prompt }, client.signal);
    await untilHeld(gateway.runsDir, 1);
    client.abort();
    await expect(answer).rejects.toMatchObject(goneError);
    await expect.poll(() => readRuns(gateway.dataDir)[0]?.state).toBe('ended');
  });

  test('stays is answered, however long its body and its run', async () => {
    await using gateway = await startCheckedGateway({ env: { SANDBOX } });
    const token = await gateway.mint('app');
    const prompt = `${waitForGo}\n${'x'.repeat(300_000)}`;
    const answer = gateway.run(token, { prompt });
    await untilHeld(gateway.runsDir, 1);
    letGo(gateway.runsDir);
    expect((await answer).status).toBe(200);
  });
});

describe('a client that goes away while it waits', () => {
  test('leaves the queue: its run never has a process, the next one is not delayed', async () => {
    await using gateway = await startCheckedGateway({ env: { GATEWAY_CONCURRENCY: '1' } });
    const token = await gateway.mint('app');
    const { queue } = gateway.gateway.engine;
    const first = gateway.run(token, { prompt: `${waitForGo}\nfirst` });
    await untilHeld(gateway.runsDir, 1);
    const client = new AbortController();
    const second = gateway.run(token, { prompt: 'second' }, client.signal);
    await expect.poll(() => queue.counts().waiting).toBe(1);
    const third = gateway.run(token, { prompt: 'third' });
    await expect.poll(() => queue.counts().waiting).toBe(2);

    client.abort();
    await expect(second).rejects.toMatchObject(goneError);
    await expect.poll(() => queue.counts().waiting).toBe(1);
    const [gone] = await gateway.audit('?action=run');
    expect(gone).toMatchObject({ outcome: 'client_gone', details: { survivors: 0 } });
    expect(gone.details).not.toHaveProperty('cli_version');

    letGo(gateway.runsDir);
    expect((await first).body.result).toBe('first');
    expect((await third).body.result).toBe('third');
  });
});
