import { chmod, chown, mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, onTestFinished, test } from 'vitest';

import { checkWorkspaces } from '../../cli/doctor/workspace-check.ts';
import type { Sandbox } from '../../gateway/sandbox/sandbox-tier.ts';

const isRoot = process.getuid?.() === 0;
const tools = { bwrap: '/usr/bin/bwrap', choom: null, prlimit: null, setpriv: '/usr/bin/setpriv' };
const sandbox: Sandbox = { tier: 'bwrap', tools, runUid: isRoot ? 64_100 : null };

async function workspaceFile(mode: string) {
  const root = await realpath(await mkdtemp(join(tmpdir(), 'gatehouse-workspaces-')));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  const path = join(root, 'notes');
  await mkdir(path);
  if (isRoot) await chown(path, 12_345, 12_345);
  const file = join(root, 'workspaces.json');
  await writeFile(file, JSON.stringify({ notes: { path, mode } }), { mode: 0o644 });
  return { path, options: { file, isRoot, ground: [] } };
}

test('the doctor says nothing of workspaces where there are none', () => {
  expect(checkWorkspaces({ file: null, isRoot, ground: [] }, sandbox)).toEqual([]);
});

test('the doctor tells what each workspace shows, and as whom', async () => {
  const { path, options } = await workspaceFile('rw');
  const as = isRoot ? ' as uid 12345' : '';
  expect(checkWorkspaces(options, sandbox)).toMatchObject([
    { status: 'pass' },
    { status: 'pass', seen: `notes is ${path} (rw${as})` },
  ]);
});

test('the doctor fails a file that others can write, and one that is wrong', async () => {
  const { options } = await workspaceFile('ro');
  await chmod(options.file, 0o666);
  expect(checkWorkspaces(options, sandbox)[0]).toMatchObject({
    ...{ status: 'fail', mend: `chmod 644 ${options.file}` },
  });
  const wrong = await workspaceFile('read');
  expect(checkWorkspaces(wrong.options, sandbox)).toMatchObject([
    {
      status: 'fail',
      seen: expect.stringContaining('"notes" must have'),
      mend: expect.any(String),
    },
  ]);
});

test('the doctor fails workspaces without a sandbox', async () => {
  const { options } = await workspaceFile('ro');
  const none: Sandbox = { ...sandbox, tier: 'none', runUid: null };
  expect(checkWorkspaces(options, none).at(-1)).toMatchObject({ status: 'fail' });
});
