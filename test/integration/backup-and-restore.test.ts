// A backup of a gateway at work, put back elsewhere: what apps and the operator find there.
import { mkdtempDisposableSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { backUp, restore, runTool } from '../support/backup-run.ts';
import {
  fillGateway,
  runOf,
  startGatewayOn,
  submit,
  waitingKey,
  writeAdminToken,
} from '../support/kept-data.ts';
import { expectNothingLeft } from '../support/leak-check.ts';
import { letGo, untilHeld } from '../support/run-latch.ts';
import type { TestGateway } from '../support/test-gateway.ts';

async function eventTypes(gateway: TestGateway, token: string, runId: string): Promise<string[]> {
  const headers = { authorization: `Bearer ${token}` };
  const { text } = await gateway.fetch(`/runs/${runId}/events`, { headers });
  return [...text.matchAll(/^event: (.+)$/gm)].map(([, type = '']) => type);
}

test('a gateway on a restored backup knows its apps, runs and files, and does no open run again', async () => {
  using place = mkdtempDisposableSync(join(tmpdir(), 'gatehouse-'));
  const [original, restored] = [join(place.path, 'original'), join(place.path, 'restored')];
  writeAdminToken(original);
  await using first = await startGatewayOn(original);
  const { token, fileToken, completedRun, waitingRun } = await fillGateway(first);
  await untilHeld(first.runsDir, 1);
  const completed = await runOf(first, token, completedRun);

  const backup = await backUp(original);
  expect(backup).toMatchObject({ code: 0, text: expect.stringContaining('apps: 1, runs: 3') });

  const refused = await restore(original, backup.path);
  expect(refused).toMatchObject({ code: 1, text: expect.stringContaining('stop the gateway') });
  letGo(first.runsDir);
  const waited = await runOf(first, token, waitingRun, '?wait=20');
  expect(waited).toMatchObject({ outcome: 'completed' });
  await first.close();

  const end = await restore(restored, backup.path);
  expect(end.text).toContain('runs that were open then: 2,');
  expect(end.text).toContain('next: npm start');
  expect(end.code).toBe(0);

  await using second = await startGatewayOn(restored);
  expect(await runOf(second, token, completedRun)).toEqual(completed);
  expect(await runOf(second, token, waitingRun)).toMatchObject({
    ...{ status: 'ended', outcome: 'interrupted', attempt: 0 },
    error: { code: 'interrupted', message: expect.stringContaining('backup') },
  });
  expect(await eventTypes(second, token, waitingRun)).toEqual(['run.queued', 'run.failed']);
  // An app that is not sure and sends it again with its key is told of the same run.
  expect(await submit(second, token, { prompt: 'waiting' }, waitingKey)).toBe(waitingRun);

  const again = await second.run(token, { prompt: 'hello', files: [fileToken] });
  expect(again).toMatchObject({ status: 200 });
  const rows = await second.audit('?action=run');
  expect(rows.map(({ outcome }) => outcome)).toEqual([
    ...['completed', 'interrupted', 'interrupted', 'completed'],
  ]);
  expect(rows.filter((row) => row.run_id === waitingRun)).toMatchObject([
    { prompt: 'waiting', details: { message: expect.stringContaining('backup') } },
  ]);
  await expectNothingLeft(restored);
  const verified = await runTool('cli/audit-verify.ts', { GATEWAY_DATA_DIR: restored });
  expect(verified).toMatchObject({ code: 0 });
}, 60_000);
