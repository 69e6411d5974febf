// A PostgreSQL server of the tests' own, on loopback, that can be stopped, killed and started again on the same port.
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomBytes, randomInt } from 'node:crypto';
import { once } from 'node:events';
import { chmod, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';

import { execa } from 'execa';

import { preparePostgresPrograms } from './postgres-programs.ts';
import type { PostgresPrograms } from './postgres-programs.ts';
import { childrenOf } from './process-facts.ts';

export type PostgresServer = {
  /** Of the superuser, database `postgres`. */
  url: string;
  port: number;
  /** Everything that it has on disk is in here. */
  dir: string;
  /** Of the first of its processes; null while it is stopped. */
  pid: () => number | null;
  /** `fast` rolls back what is open and says so to clients; `immediate` leaves recovery to the next start. */
  stop: (mode: 'fast' | 'immediate') => Promise<void>;
  start: () => Promise<void>;
  /** All of its processes at once, with SIGKILL. */
  kill: () => Promise<void>;
};

export type PostgresServerOptions = {
  /** Writes to disk before it says that it has committed, as in production. */
  durable?: boolean;
};

const stopSignals = { fast: 'SIGINT', immediate: 'SIGQUIT' } as const;

export async function startPostgresServer(
  options: PostgresServerOptions = {},
): Promise<PostgresServer & AsyncDisposable> {
  const programs = await preparePostgresPrograms();
  await using undo = new AsyncDisposableStack();
  undo.defer(() => rm(programs.dir, { recursive: true, force: true }));
  const password = randomBytes(12).toString('hex');
  const port = await freeFixedPort();
  await initialize(programs, password, settingsOf(port, options));
  let running: ChildProcess | null = null;

  async function start(): Promise<void> {
    if (running !== null) throw new Error('the server is running');
    running = await startProgram(programs);
  }

  async function end(signal: (child: ChildProcess) => void): Promise<void> {
    const child = running;
    if (child === null) throw new Error('the server is not running');
    running = null;
    // Not `exit`: the backends hold the pipe too, and the next start fails while one of them lives.
    const closed = child.stderr?.closed === true ? null : once(child, 'close');
    signal(child);
    await closed;
  }

  async function stop(mode: 'fast' | 'immediate'): Promise<void> {
    await end((child) => child.kill(stopSignals[mode]));
  }

  async function kill(): Promise<void> {
    await end(killWithBackends);
    await removeSharedMemory(programs.dir);
  }

  await start();
  undo.defer(async () => {
    if (running !== null) await stop('immediate');
  });
  const kept = undo.move();
  return {
    url: `postgres://postgres:${password}@127.0.0.1:${port}/postgres`,
    port,
    dir: programs.dir,
    pid: () => running?.pid ?? null,
    stop,
    start,
    kill,
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

function settingsOf(port: number, { durable = false }: PostgresServerOptions): string[] {
  const safety = durable ? [] : ['fsync=off', 'full_page_writes=off'];
  return [
    'listen_addresses=127.0.0.1',
    `port=${port}`,
    'unix_socket_directories=',
    'max_connections=100',
    'shared_buffers=16MB',
    // In the data directory, instead of files in /dev/shm that stay when it is killed.
    'dynamic_shared_memory_type=mmap',
    'wal_level=minimal',
    'max_wal_senders=0',
    'io_method=sync',
    'scram_iterations=1',
    ...safety,
  ];
}

async function initialize(
  programs: PostgresPrograms,
  password: string,
  settings: string[],
): Promise<void> {
  const passwordFile = join(programs.dir, 'password');
  await writeFile(passwordFile, password);
  // Only its user may enter the directory.
  await chmod(passwordFile, 0o644);
  const [file, ...args] = programs.command(
    'initdb',
    `--pgdata=${join(programs.dir, 'data')}`,
    '--username=postgres',
    `--pwfile=${passwordFile}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    // Sorts as servers in production do, and not by bytes as SQLite does.
    '--locale-provider=icu',
    '--icu-locale=en-US',
    '--no-sync',
    ...settings.flatMap((setting) => ['--set', setting]),
  );
  await execa(file, args, { env: programs.env, extendEnv: false });
}

/** Resolves when it accepts connections; throws with what it said when it ends before that. */
async function startProgram(programs: PostgresPrograms): Promise<ChildProcess> {
  const [file, ...args] = programs.command('postgres', '-D', join(programs.dir, 'data'));
  const child = spawn(file, args, { env: programs.env, stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  await new Promise<void>((resolve, reject) => {
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      said = (said + chunk).slice(-10_000);
      if (said.includes('database system is ready to accept connections')) resolve();
    });
    child.once('error', reject);
    child.once('close', () => reject(new Error(`PostgreSQL did not start: ${said}`)));
  });
  return child;
}

function killWithBackends({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  for (const each of [pid, ...childrenOf(pid)]) {
    try {
      process.kill(each, 'SIGKILL');
    } catch {
      // It has ended by itself.
    }
  }
}

/** The one segment that outlives it when it is killed; a machine that loses its power has none either. */
async function removeSharedMemory(dir: string): Promise<void> {
  await execa('ipcrm', ['-m', await sharedMemoryOf(dir)], { reject: false });
}

/** The segment of System V, which is the machine's, of a server that runs or was killed. */
export async function sharedMemoryOf(dir: string): Promise<string> {
  const lines = (await readFile(join(dir, 'data/postmaster.pid'), 'utf8')).split('\n');
  return lines[6]?.trim().split(/\s+/)[1] ?? '';
}

/** Below the ports that systems give out by themselves: nothing else gets it while the server is stopped. */
async function freeFixedPort(): Promise<number> {
  const port = randomInt(20_000, 32_000);
  const free = await new Promise<boolean>((resolve) => {
    const probe = createServer().once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
  return free ? port : await freeFixedPort();
}
