// A disk that is full, as a small file system of its own: mounted for the test, which needs root.
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { describe, expect, test } from 'vitest';

import { expectNothingLeft, startCheckedGateway } from '../support/leak-check.ts';
import { canMount, mountSmallDisk, needsMount } from '../support/small-disk.ts';
import { upload } from '../support/upload-form.ts';

describe.skipIf(!canMount)(`a full disk${needsMount}`, () => {
  test.each([
    ['nearly full', 3000],
    ['full to the last block', 0],
  ])(
    '%s: a run is refused before it costs a process, reads work, and it recovers',
    async (_how, left) => {
      using disk = mountSmallDisk(64);
      if (disk === null) return;
      const dataDir = join(disk.path, 'data');
      const log = join(tmpdir(), `gatehouse-spawned-${process.pid}-${left}`);
      await using gateway = await startCheckedGateway({ dataDir });
      const token = await gateway.mint('app');
      const prompt = `@@log ${log}\nhello`;
      expect((await gateway.run(token, { prompt })).body.result).toBe('hello');
      const before = readFileSync(log, 'utf8');

      disk.fill(left);
      for (let round = 0; round < 3; round += 1) {
        const refused = await gateway.run(token, { prompt });
        const error = { code: 'disk_full', retryable: true };
        expect(refused).toMatchObject({ status: 507, body: { ok: false, error } });
      }
      expect(readFileSync(log, 'utf8')).toBe(before);
      expect((await gateway.admin('/admin/tokens')).body.items).toHaveLength(1);
      expect(await gateway.audit('?outcome=completed')).toHaveLength(1);
      expect((await gateway.fetch('/livez')).status).toBe(200);
      const ready = await gateway.fetch('/readyz');
      expect(ready.body.parts).toContainEqual(expect.objectContaining({ name: 'disk', ok: false }));

      disk.empty();
      expect((await gateway.run(token, { prompt })).body.result).toBe('hello');
      rmSync(log);
    },
  );

  test('on which not even the reserve is left is told as such, not as a bug', async () => {
    using disk = mountSmallDisk(64);
    if (disk === null) return;
    const dataDir = join(disk.path, 'data');
    await using gateway = await startCheckedGateway({ dataDir });
    const token = await gateway.mint('app');
    rmSync(join(dataDir, 'reserve'));
    disk.fill(0);
    const prompt = 'x'.repeat(2 ** 20);
    for (let round = 0; round < 6; round += 1) {
      const refused = await gateway.run(token, { prompt });
      expect(refused).toMatchObject({ status: 507, body: { error: { code: 'disk_full' } } });
    }
    const minted = await gateway.admin('/admin/tokens', { name: 'another' });
    expect([201, 507]).toContain(minted.status);
    disk.empty();
    expect((await gateway.run(token, { prompt: 'hello' })).body.result).toBe('hello');
  });

  test('fills up during a run: the run is ended, its row is written, nothing is left', async () => {
    using disk = mountSmallDisk(32);
    if (disk === null) return;
    const dataDir = join(disk.path, 'data');
    await using gateway = await startCheckedGateway({ dataDir });
    const token = await gateway.mint('app');
    const answer = await gateway.run(token, { prompt: '@@fill-disk 40\n@@init-then-silence' });
    expect(answer).toMatchObject({ status: 507, body: { error: { code: 'disk_full' } } });
    await expectNothingLeft(dataDir);
    const [row] = await gateway.audit('?action=run');
    expect(row.outcome).toBe('disk_full');
    expect((await gateway.run(token, { prompt: 'again' })).body.result).toBe('again');
    expect(existsSync(join(dataDir, 'gateway.db'))).toBe(true);
  });

  test('takes no files, and leaves nothing of one that does not fit any more', async () => {
    using disk = mountSmallDisk(64);
    if (disk === null) return;
    const dataDir = join(disk.path, 'data');
    await using gateway = await startCheckedGateway({ dataDir, env: { DISK_RESERVE_MB: '1' } });
    const token = await gateway.mint('app');
    const full = { status: 507, body: { error: { code: 'disk_full', retryable: true } } };
    disk.fill(3000);
    expect(await upload(gateway, token, Buffer.alloc(2 ** 23, 'x'))).toMatchObject(full);
    expect(readdirSync(join(dataDir, 'files'))).toEqual(['incoming']);
    expect(readdirSync(join(dataDir, 'files/incoming'))).toEqual([]);
    disk.empty();
    disk.fill(100);
    expect(await upload(gateway, token, 'hello')).toMatchObject(full);
    disk.empty();
    expect((await upload(gateway, token, 'hello')).status).toBe(201);
  });
});
