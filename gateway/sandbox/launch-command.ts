// The command line that starts one run in its sandbox. Pure: what is started, with which mounts, as whom.
import { bubblewrapArguments } from './bubblewrap-arguments.ts';
import type { Bind } from './bubblewrap-arguments.ts';
import { programBinds, programWords } from './program-file.ts';
import type { ProgramFile } from './program-file.ts';
import { insideSandbox } from './run-directory-layout.ts';
import type { RunDirectory } from './run-directory-layout.ts';
import type { Sandbox } from './sandbox-tier.ts';
import { runUserOf } from './workspace-mount.ts';
import type { HostUser, WorkspaceMount } from './workspace-mount.ts';

export type LaunchRequest = {
  program: ProgramFile;
  args: readonly string[];
  directory: RunDirectory;
  /** A directory that holds nothing but the credentials file of a login, or null. */
  loginDir: string | null;
  /** The run's work directory, instead of the one in `directory`. */
  workspace?: WorkspaceMount | null;
};

export type LaunchCommand = {
  file: string;
  args: string[];
  cwd: string;
  /** Options of bwrap, handed over on a file descriptor; null without bubblewrap. */
  bwrapArguments: string[] | null;
  /** How many processes down from the first of the outermost PID namespace the program is; 0 without one. */
  generations: number;
};

const fileBytesMax = 2 * 2 ** 30;
const openFilesMax = 4096;
const processesMax = 512;
const outOfMemoryScore = 500;

/** Descriptors of the child: 3 carries bwrap's options in, 4 its status out. */
export const bwrapArgumentsFd = 3;
export const bwrapStatusFd = 4;

const tellStatus = ['--json-status-fd', String(bwrapStatusFd)];

export function launchCommand(sandbox: Sandbox, request: LaunchRequest): LaunchCommand {
  const program = [...programWords(request.program, sandbox.tier), ...request.args];
  const { tools } = sandbox;
  // When memory runs out the run goes, not the gateway.
  const choom = tools.choom === null ? [] : [tools.choom, '-n', String(outOfMemoryScore), '--'];
  if (sandbox.tier === 'none') {
    if (request.workspace) throw new Error('a workspace without a sandbox');
    const words = [...choom, ...dieWithParent(tools.setpriv), ...limits(tools.prlimit, [])];
    return command([...words, ...program], request.directory.work);
  }
  if (tools.bwrap === null) throw new Error('a bubblewrap tier was chosen without bubblewrap');

  const binds = runBinds(request);
  const user = runUserOf(sandbox, request.workspace ?? null);
  const staged = user === null ? binds : stage(binds);
  const asRunUser =
    user === null
      ? []
      : [...stagingBwrap(tools.bwrap, binds), ...dropPrivileges(tools.setpriv, user)];
  const options = ['--args', String(bwrapArgumentsFd)];
  // The outermost PID namespace is the one that ends everything, and the one whose pids we see.
  if (user === null) options.push(...tellStatus);
  // Inside the user namespace, so that the process limit counts this run only.
  const inside = [...limits(tools.prlimit, [`--nproc=${processesMax}`]), ...program];
  return {
    ...command([...choom, ...asRunUser, tools.bwrap, ...options, '--', ...inside], '/'),
    bwrapArguments: bubblewrapArguments(sandbox.tier, staged),
    // The staging bwrap's first process, the real bwrap, that one's first process.
    generations: user === null ? 1 : 3,
  };
}

function command([file, ...args]: string[], cwd: string): LaunchCommand {
  if (file === undefined) throw new Error('an empty command line');
  return { file, args, cwd, bwrapArguments: null, generations: 0 };
}

/** Where no PID namespace does it: a gateway that is killed takes the program along, though not what that has started. */
function dieWithParent(setpriv: string | null): string[] {
  return setpriv === null ? [] : [setpriv, '--pdeathsig', 'KILL', '--'];
}

function limits(prlimit: string | null, more: string[]): string[] {
  if (prlimit === null) return [];
  return [
    prlimit,
    ...more,
    '--core=0',
    `--fsize=${fileBytesMax}`,
    `--nofile=${openFilesMax}`,
    '--',
  ];
}

type Binds = { readOnly: Bind[]; writable: Bind[] };

function runBinds({ program, directory, loginDir, workspace }: LaunchRequest): Binds {
  const readOnly = programBinds(program);
  const writable: Bind[] = [{ from: directory.home, to: insideSandbox.home }];
  const work = { from: workspace?.path ?? directory.work, to: insideSandbox.work };
  (workspace?.mode === 'ro' ? readOnly : writable).push(work);
  if (loginDir !== null) writable.push({ from: loginDir, to: insideSandbox.login });
  return { readOnly, writable };
}

const stagingDir = '/tmp';

/**
 * A root gateway's files lie in directories (`/root`, a 0700 data directory) that the run's user cannot walk through, and
 * bwrap as uid 0 in a user namespace is still uid 0 for everything it can reach. So a first bwrap, as root, puts the run's
 * mounts into a private `/tmp`; then the uid is dropped; then the real sandbox is made from there. Its PID namespace is what takes
 * everything along when the gateway is killed: the real bwrap asks for a signal then, but the staging one that would send it is root
 * without capabilities, and may not signal another user's process.
 */
function stagingBwrap(bwrap: string, binds: Binds): string[] {
  const { readOnly, writable } = stage(binds);
  return [
    bwrap,
    ...['--dev-bind', '/', '/', '--perms', '0755', '--tmpfs', stagingDir],
    ...binds.readOnly.flatMap(({ from }, index) => [
      '--ro-bind',
      from,
      readOnly[index]?.from ?? '',
    ]),
    ...binds.writable.flatMap(({ from }, index) => ['--bind', from, writable[index]?.from ?? '']),
    ...['--unshare-pid', '--die-with-parent', '--cap-add', 'ALL', ...tellStatus, '--'],
  ];
}

function stage({ readOnly, writable }: Binds): Binds {
  return {
    readOnly: readOnly.map(({ to }, index) => ({ from: `${stagingDir}/ro-${index}`, to })),
    writable: writable.map(({ to }, index) => ({ from: `${stagingDir}/rw-${index}`, to })),
  };
}

function dropPrivileges(setpriv: string | null, { uid, gid }: HostUser): string[] {
  if (setpriv === null) throw new Error('setpriv is needed to give up root');
  return [
    setpriv,
    ...['--reuid', String(uid), '--regid', String(gid), '--clear-groups'],
    ...['--no-new-privs', '--inh-caps=-all', '--bounding-set=-all', '--'],
  ];
}
