// What the sandbox itself makes of a workspace, whatever rules the CLI has: tried by a shell in its place.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmod,
  chown,
  mkdir,
  mkdtemp,
  readFile,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { describe, expect, onTestFinished, test } from 'vitest';

import { systemClock } from '#shared/clock.ts';

import { launchCommand } from '../../gateway/sandbox/launch-command.ts';
import { searchPathInWorkspace } from '../../gateway/sandbox/program-file.ts';
import { runDirectoryAt } from '../../gateway/sandbox/run-directory-layout.ts';
import { makeRunDirectory } from '../../gateway/sandbox/run-directory.ts';
import { probeSandbox } from '../../gateway/sandbox/sandbox-probe.ts';
import type { SandboxTier } from '../../gateway/sandbox/sandbox-tier.ts';
import { runShortProgram } from '../../gateway/sandbox/short-program.ts';
import { runUserOf } from '../../gateway/sandbox/workspace-mount.ts';
import type { WorkspaceMode } from '../../gateway/sandbox/workspace-mount.ts';
import { checkUsable } from '../../gateway/workspaces/workspace.ts';
import type { Workspace } from '../../gateway/workspaces/workspace.ts';

const isRoot = process.getuid?.() === 0;
const owner = isRoot ? { uid: 12_345, gid: 12_346 } : { uid: process.getuid?.() ?? 0, gid: 0 };

const script = `#!/bin/sh
read -r note < ./note.txt && echo "note=$note"
if (: > /work/made) 2>/dev/null; then echo work=writable; else echo work=read-only; fi
if (: > /home/run/made) 2>/dev/null; then echo home=writable; else echo home=read-only; fi
while read -r name _ id _; do [ "$name" = Uid: ] && echo "uid=$id"; done < /proc/self/status
if command -v git >/dev/null; then echo git=found; else echo git=missing; fi
[ -e "$1" ] && echo outside=visible || echo outside=hidden
if [ -r "/proc/$2/comm" ]; then echo process=seen; else echo process=hidden; fi
if (read -r _ < "/proc/$2/environ" || read -r _ < "/proc/$2/maps") 2>/dev/null; then echo process=read; fi
if [ -e "/proc/$2/root/etc" ] || [ -e "/proc/$2/cwd/etc" ]; then echo process=entered; fi
if kill -0 "$2" 2>/dev/null; then echo process=signalled; fi
exit 0
`;

async function directories() {
  const root = await mkdtemp(join(tmpdir(), 'gatehouse-workspace-'));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  const runsDir = join(root, 'runs');
  const path = join(root, 'notes');
  await mkdir(runsDir, { mode: 0o700 });
  await mkdir(path, { mode: 0o700 });
  await writeFile(join(path, 'note.txt'), 'text-of-a-note\n', { mode: 0o600 });
  return { root, runsDir, path };
}

async function shellInside(
  tier: SandboxTier,
  mode: WorkspaceMode,
  { runsDir, path, root }: Awaited<ReturnType<typeof directories>>,
  pid = 2 ** 30,
): Promise<Record<string, string>> {
  const place = { runsDir, path: process.env['PATH'] ?? '', isRoot, clock: systemClock };
  const { sandbox } = await probeSandbox('require', place);
  const { uid, gid } = await stat(path);
  const workspace = { path, mode, owner: { uid, gid } };
  const directory = runDirectoryAt(join(runsDir, 'run'));
  makeRunDirectory(directory, runUserOf(sandbox, workspace));
  const file = join(root, 'look-around');
  await writeFile(file, script, { mode: 0o755 });
  const program = { path: file, isScript: true, interpreter: '/bin/sh' };
  const command = launchCommand(
    { ...sandbox, tier },
    { program, args: [runsDir, String(pid)], directory, loginDir: null, workspace },
  );
  const environment = { PATH: searchPathInWorkspace, GATEHOUSE_RUN: 'run_of_a_workspace' };
  const end = await runShortProgram(command, environment, 60_000, systemClock);
  expect(end).toMatchObject({ code: 0 });
  return Object.fromEntries(
    end.output.split('\n').map((line): [string, string] => {
      const [name = '', value = ''] = line.split('=', 2);
      return [name, value];
    }),
  );
}

describe.each(['bwrap', 'bwrap-procbind'] as const)('in the tier %s', (tier) => {
  test.each(['ro', 'rw'] as const)(
    'a workspace of its owner alone can be used: %s',
    async (mode) => {
      const place = await directories();
      if (isRoot) {
        await chown(place.path, owner.uid, owner.gid);
        await chown(join(place.path, 'note.txt'), owner.uid, owner.gid);
      }
      expect(await shellInside(tier, mode, place)).toMatchObject({
        ...{ note: 'text-of-a-note', work: mode === 'rw' ? 'writable' : 'read-only' },
        ...{ home: 'writable', uid: String(owner.uid), git: 'missing', outside: 'hidden' },
      });
      const made = await stat(join(place.path, 'made')).catch(() => null);
      expect(made?.uid).toBe(mode === 'rw' ? owner.uid : undefined);
    },
  );

  // A run under root is the owner of its workspace, but not where that one's programs are.
  test.skipIf(!isRoot)('programs of its owner cannot be read, entered or signalled', async () => {
    const place = await directories();
    await chown(place.path, owner.uid, owner.gid);
    await using program = await startProgramOf(owner);
    expect(await shellInside(tier, 'rw', place, program.pid)).toMatchObject({
      uid: String(owner.uid),
      // In the procbind tier the processes of the host show, but not what is theirs.
      process: tier === 'bwrap' ? 'hidden' : 'seen',
    });
    expect(program.isAlive()).toBe(true);
  });

  test.skipIf(!isRoot)('one of root is read as the usual user of runs', async () => {
    const place = await directories();
    await chmod(place.path, 0o755);
    await chmod(join(place.path, 'note.txt'), 0o644);
    expect(await shellInside(tier, 'ro', place)).toMatchObject({
      ...{ note: 'text-of-a-note', work: 'read-only', uid: '64100' },
    });
    expect(await readFile(join(place.path, 'note.txt'), 'utf8')).toBe('text-of-a-note\n');
  });
});

describe('a run is refused', () => {
  test('when a link has taken the place of the directory', async () => {
    const { path, root } = await directories();
    const workspace = await workspaceAt(path);
    await expect(checkUsable(workspace, 'bwrap')).resolves.toBeUndefined();
    await rm(path, { recursive: true });
    await symlink(root, path);
    await expect(checkUsable(workspace, 'bwrap')).rejects.toThrow(/notes .*not the one it was/);
  });

  test('when the directory is gone, or a file', async () => {
    const { path } = await directories();
    const workspace = await workspaceAt(path);
    await rm(path, { recursive: true });
    await expect(checkUsable(workspace, 'bwrap')).rejects.toThrow('its directory is gone');
    await writeFile(path, 'x');
    await expect(checkUsable(workspace, 'bwrap')).rejects.toThrow('not the one it was');
  });

  test.skipIf(!isRoot)('when the directory has another owner', async () => {
    const { path } = await directories();
    const workspace = await workspaceAt(path);
    await chown(path, 12_345, 12_345);
    await expect(checkUsable(workspace, 'bwrap')).rejects.toThrow('not the one it was');
  });

  test('without a sandbox', async () => {
    const { path } = await directories();
    await expect(checkUsable(await workspaceAt(path), 'none')).rejects.toThrow('no sandbox');
  });
});

async function startProgramOf({ uid, gid }: { uid: number; gid: number }) {
  const child = spawn('/bin/sleep', ['600'], { uid, gid, cwd: '/', stdio: 'ignore' });
  await once(child, 'spawn');
  const exited = once(child, 'exit');
  return {
    pid: child.pid ?? 0,
    isAlive: () => child.exitCode === null && child.signalCode === null,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

async function workspaceAt(path: string): Promise<Workspace> {
  const { uid, gid } = await stat(path);
  return { name: 'notes', path, mode: 'ro', owner: { uid, gid } };
}
