// Memory that runs out for real, in a control group with a limit. PF-12: the kernel takes the run, the gateway goes on and says so.
import { readFileSync } from 'node:fs';

import { describe, expect, test } from 'vitest';

import { startGatewayProcess } from '../support/gateway-process.ts';
import type { GatewayProcess } from '../support/gateway-process.ts';
import { expectNothingLeft } from '../support/leak-check.ts';
import { canLimitMemory, createMemoryGroup, needsMemoryGroup } from '../support/memory-group.ts';

const megabyte = 2 ** 20;
const outOfMemory = 'The kernel ended Claude because the memory of the gateway ran out.';

function residentBytes(pid: number | undefined): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) * 1024;
}

async function roomOf(gateway: GatewayProcess) {
  const { status, body } = await gateway.fetch('/readyz');
  const part = body.parts.find(({ name }: { name: string }) => name === 'room');
  return { status, message: part.message };
}

describe.skipIf(!canLimitMemory)(`memory that runs out${needsMemoryGroup}`, () => {
  test.each(['none', 'require'])(
    'takes the run with SANDBOX=%s, and the gateway says so, goes on and stays as small as it was',
    async (SANDBOX) => {
      await using group = createMemoryGroup(384 * megabyte);
      if (group === null) return;
      await using gateway = await startGatewayProcess({
        launcher: group.launcher,
        env: { SANDBOX, RUN_MEMORY_MB: '0' },
      });
      const token = await gateway.mint('app');
      expect((await gateway.run(token, { prompt: 'before' })).body.result).toBe('before');
      expect(group.kills()).toBe(0);
      const before = residentBytes(gateway.child.pid);

      const rounds = 3;
      for (let round = 1; round <= rounds; round += 1) {
        const answer = await gateway.run(token, { prompt: '@@init\n@@alloc 500\nnever said' });
        const error = { code: 'crashed', retryable: true, message: outOfMemory };
        expect(answer).toMatchObject({ status: 502, body: { ok: false, error } });
      }
      expect(group.kills()).toBeGreaterThanOrEqual(rounds);
      const rows = await gateway.audit('?outcome=crashed');
      expect(rows.map(({ details }) => details.out_of_memory)).toEqual([true, true, true]);
      expect(residentBytes(gateway.child.pid) - before).toBeLessThan(64 * megabyte);

      const other = await gateway.run(token, { prompt: '@@stderr bye\n@@exit 137' });
      expect(other.body.error.message).toBe('Claude ended without an answer (exit code 137).');
      expect((await gateway.run(token, { prompt: 'after' })).body.result).toBe('after');
      await expectNothingLeft(gateway.dataDir);
    },
    // Filling memory up takes the kernel a while.
    120_000,
  );

  test('LD-08: is not let to: a run waits while the control group of the gateway has no room for it', async () => {
    await using group = createMemoryGroup(256 * megabyte);
    if (group === null) return;
    await using gateway = await startGatewayProcess({
      launcher: group.launcher,
      env: { RUN_MEMORY_MB: '240' },
    });
    const token = await gateway.mint('app');
    const running = gateway.run(token, { prompt: 'hello' });
    const missing = expect.stringMatching(/^runs wait: \d+ MB of memory free, 240 MB needed$/);
    const waits = { status: 503, message: missing };
    await expect.poll(() => roomOf(gateway), { timeout: 15_000 }).toEqual(waits);

    group.limit(1024 * megabyte);
    expect((await running).body.result).toBe('hello');
    expect(group.kills()).toBe(0);
    expect(await roomOf(gateway)).toEqual({ status: 200, message: 'enough for another run' });
  });
});
