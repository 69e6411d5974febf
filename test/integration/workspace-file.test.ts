// The file that WORKSPACES names: all that is wrong with it is said at once, and nothing starts.
import { chmod, chown, mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { describe, expect, onTestFinished, test } from 'vitest';

import { readWorkspaces, WorkspaceFileError } from '../../gateway/workspaces/workspace-file.ts';
import { startGatewayProcess } from '../support/gateway-process.ts';
import { startTestGateway } from '../support/test-gateway.ts';

const isRoot = process.getuid?.() === 0;

async function place(...names: string[]) {
  const root = await realpath(await mkdtemp(join(tmpdir(), 'gatehouse-workspaces-')));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  for (const name of names) {
    await mkdir(join(root, name), { recursive: true });
    if (isRoot) await chown(join(root, name), 12_345, 12_345);
  }
  const file = join(root, 'workspaces.json');
  return { root, file, write: (value: unknown) => writeFile(file, JSON.stringify(value)) };
}

function at(path: string, mode = 'ro') {
  return { path, mode };
}

function problemsOf(file: string, ground: { path: string; what: string }[] = []): string[] {
  try {
    readWorkspaces({ file, isRoot, ground });
  } catch (err) {
    if (err instanceof WorkspaceFileError) return [...err.problems];
    throw err;
  }
  return [];
}

test('no file is no workspace', () => {
  expect(readWorkspaces({ file: null, isRoot, ground: [] })).toEqual([]);
});

test('each workspace has a name, a directory, a mode and an owner', async () => {
  const { root, file, write } = await place('notes', 'site');
  const path = (name: string): string => join(root, name);
  await write({
    notes: { path: path('notes'), mode: 'ro' },
    'my.site_1': { path: path('site'), mode: 'rw' },
  });
  const uid = isRoot ? 12_345 : process.getuid?.();
  expect(readWorkspaces({ file, isRoot, ground: [] })).toEqual([
    { name: 'notes', path: path('notes'), mode: 'ro', owner: expect.objectContaining({ uid }) },
    { name: 'my.site_1', path: path('site'), mode: 'rw', owner: expect.objectContaining({ uid }) },
  ]);
});

test('all mistakes are listed at once', async () => {
  const { root, file, write } = await place('notes', 'notes/inner', 'data');
  await symlink(join(root, 'notes'), join(root, 'link'));
  await write({
    'No Name': at(join(root, 'notes')),
    relative: at('notes'),
    missing: at(join(root, 'missing')),
    file: at(file),
    link: at(join(root, 'link')),
    dots: at(`${root}/notes/../notes`),
    mode: at(join(root, 'notes'), 'write'),
    more: { ...at(join(root, 'notes')), user: 'root' },
    text: '/srv/notes',
    system: at('/etc'),
    data: at(join(root, 'data')),
    itself: at(root),
    outer: at(join(root, 'notes')),
    inner: at(join(root, 'notes/inner'), 'rw'),
  });
  const ground = [{ path: join(root, 'data'), what: "the gateway's data directory" }];
  const problems = problemsOf(file, ground);
  expect(problems).toEqual([
    'WORKSPACES: "No Name" is no name: it must be 1 to 64 of a-z 0-9 . _ -',
    'WORKSPACES: "relative" has the path notes: it must be absolute',
    expect.stringMatching(/"missing" .*there is no such directory$/),
    expect.stringMatching(/"file" .*it is not a directory$/),
    expect.stringMatching(/"link" .*: write .*\/notes, which it really is$/),
    expect.stringMatching(/"dots" .*: write .*\/notes, which it really is$/),
    expect.stringMatching(/"mode" must have a "path", a "mode"/),
    expect.stringMatching(/"more" must have .* and nothing else$/),
    expect.stringMatching(/"text" must have a "path"/),
    expect.stringMatching(/"system" .*\/etc belongs to the system$/),
    expect.stringMatching(/"data" .*it is the gateway's data directory/),
    expect.stringMatching(/"itself" .*contains the gateway's data directory/),
    expect.stringMatching(/"outer" and "inner" overlap .*both must be "ro"$/),
  ]);
});

test('directories may overlap when nobody writes in them', async () => {
  const { root, file, write } = await place('notes/inner');
  const inner = join(root, 'notes/inner');
  await write({ one: { path: inner, mode: 'ro' }, other: { path: inner, mode: 'ro' } });
  expect(problemsOf(file)).toEqual([]);
});

test.each([
  ['', 'is not JSON'],
  ['{"a":', 'is not JSON'],
  ['[]', 'must be an object'],
  ['null', 'must be an object'],
  ['{"a": {}, "a": {}}', 'occurs twice'],
])('the file %j is refused whole: it %s', async (text, reason) => {
  const { file } = await place();
  await writeFile(file, text);
  expect(problemsOf(file)).toEqual([expect.stringContaining(`${file} `)]);
  expect(problemsOf(file)[0]).toContain(reason);
});

test('a file that is not there is named', () => {
  expect(problemsOf('/nowhere/workspaces.json')).toEqual([
    expect.stringMatching(/^WORKSPACES: \/nowhere\/workspaces.json cannot be read: .*ENOENT/),
  ]);
});

describe.skipIf(!isRoot)('under root', () => {
  test("a directory of root's is for reading, and only if everybody may", async () => {
    const { root, file, write } = await place('notes');
    const path = join(root, 'notes');
    await chown(path, 0, 0);
    await chmod(path, 0o755);
    await write({ notes: { path, mode: 'ro' } });
    expect(problemsOf(file)).toEqual([]);
    await chmod(path, 0o750);
    expect(problemsOf(file)).toEqual([expect.stringContaining('not everybody may read it')]);
    await write({ notes: { path, mode: 'rw' } });
    expect(problemsOf(file)).toEqual([expect.stringContaining('as whom nothing runs')]);
  });

  test('an owner who may not write his directory is told', async () => {
    const { root, file, write } = await place('notes');
    await chmod(join(root, 'notes'), 0o555);
    await write({ notes: { path: join(root, 'notes'), mode: 'rw' } });
    expect(problemsOf(file)).toEqual([expect.stringContaining('cannot be written by its owner')]);
  });
});

test('a gateway with a wrong file does not start, and says why', async () => {
  const { root, file, write } = await place('notes');
  await write({
    notes: { path: join(root, 'nothing'), mode: 'ro' },
    all: { path: '/', mode: 'rw' },
  });
  const start = startGatewayProcess({ env: { SANDBOX: 'auto', WORKSPACES: file } });
  await expect(start).rejects.toThrow(
    /the workspaces are wrong:\n {2}WORKSPACES: "notes" .*no such directory\n {2}WORKSPACES: "all" .*below it/,
  );
});

test('an app is told what it was granted: nothing, until it was', async () => {
  const { root, file, write } = await place('notes', 'site');
  await write({
    notes: { path: join(root, 'notes'), mode: 'ro' },
    site: { path: join(root, 'site'), mode: 'rw' },
  });
  await using gateway = await startTestGateway({ env: { SANDBOX: 'auto', WORKSPACES: file } });
  const token = await gateway.mint('app');
  const workspaces = async () => (await gateway.as(token, '/me')).body.limits.workspaces;
  expect(await workspaces()).toEqual([]);
  await gateway.admin('/admin/tokens/app', { workspaces: ['site'] }, 'PATCH');
  expect(await workspaces()).toEqual([{ name: 'site', mode: 'rw' }]);
  const other = await gateway.mint('other', { workspaces: ['notes'] });
  expect((await gateway.as(other, '/me')).body.limits.workspaces).toEqual([
    { name: 'notes', mode: 'ro' },
  ]);
  expect((await gateway.as(other, '/me')).text).not.toContain(root);
});
