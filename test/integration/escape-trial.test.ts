// The doctor's escape attempts: without a sandbox they have to succeed, or their failure would mean nothing.
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, expect, it } from 'vitest';

import { systemClock } from '#shared/clock.ts';

import { tryToEscape } from '../../gateway/sandbox/escape-trial.ts';
import { probeSandbox } from '../../gateway/sandbox/sandbox-probe.ts';
import type { SandboxMode } from '../../gateway/sandbox/sandbox-probe.ts';
import { canMount, mountSmallDisk, needsMount } from '../support/small-disk.ts';

let dataDir: string;
let runsDir: string;

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'gatehouse-'));
  runsDir = join(dataDir, 'runs');
  await mkdir(runsDir);
  await writeFile(join(dataDir, 'gateway.db'), '');
});
afterEach(() => rm(dataDir, { recursive: true }));

async function gotWith(
  mode: SandboxMode,
  inRuns = runsDir,
): Promise<Record<string, string | null>> {
  const isRoot = process.getuid?.() === 0;
  const place = {
    runsDir: inRuns,
    dataDir,
    path: process.env['PATH'] ?? '',
    isRoot,
    clock: systemClock,
  };
  const { sandbox } = await probeSandbox(mode, place);
  const attempts = await tryToEscape(sandbox, place);
  expect(await readdir(inRuns)).toEqual([]);
  return Object.fromEntries(attempts.map(({ name, got }) => [name, got]));
}

it('all succeed without a sandbox that need no privilege', async () => {
  expect(await gotWith('none')).toMatchObject({
    'file outside': 'its content was read',
    ...{ "gateway's environment": expect.any(String), 'host processes': expect.any(String) },
    'data directory': expect.stringContaining('gateway.db'),
    // Found by its marker, also without a sandbox.
    'process left behind': null,
  });
});

it('all fail in the sandbox', async () => {
  const got = await gotWith('require');
  expect(Object.keys(got)).toHaveLength(9);
  expect(Object.entries(got).filter(([, each]) => each !== null)).toEqual([]);
});

it.skipIf(!canMount)(`they are made also where RUNS_DIR may not execute${needsMount}`, async () => {
  using disk = mountSmallDisk(32, 'mode=0755,noexec');
  const got = await gotWith('require', disk?.path);
  expect(Object.values(got)).toEqual(Array.from({ length: 9 }, () => null));
});
