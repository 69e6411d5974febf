// One program in its sandbox: started, watched, ended whole. The only place that starts processes.
import type { Readable, Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { setImmediate as endOfTurn } from 'node:timers/promises';

import { execa } from 'execa';

import type { Clock } from '#shared/clock.ts';

import type { LaunchCommand } from './launch-command.ts';
import { bwrapStatusFd } from './launch-command.ts';
import { countOomKills, wasOomKilled } from './oom-kills.ts';
import {
  descendantOf,
  identify,
  isAlive,
  pidsSince,
  processesMarked,
  signalAll,
} from './process-table.ts';
import type { ProcessIdentity } from './process-table.ts';

export type ProcessExit = {
  code: number | null;
  signal: NodeJS.Signals | null;
  /** The program could not be started at all. */
  startFailure: NodeJS.ErrnoException | null;
  /** The kernel killed the program because memory ran out. */
  outOfMemory: boolean;
  /** Processes of the run still there after everything was killed. */
  survivors: number;
};

type BareExit = Omit<ProcessExit, 'outOfMemory' | 'survivors'>;

export type SandboxedProcess = {
  /** Of the outermost program; null when it could not be started. */
  pid: number | null;
  stdin: Writable;
  stdout: Readable;
  /** The last few kilobytes that were written to stderr. */
  stderrTail: () => string;
  /** Resolves when the program has ended, its output is read and nothing of it is left. Never rejects. */
  exited: Promise<ProcessExit>;
  /** Asks the program itself to stop: bwrap would not pass a signal on. */
  terminate: () => void;
  /** Ends everything in the sandbox at once. */
  kill: () => void;
};

/** In the environment of every process of a run, so that what it leaves behind can be found. */
export const runMarker = 'GATEHOUSE_RUN';

/** How long output may still arrive after the exit: somebody else may hold the pipe open. */
const drainMs = 250;
const goneWithinMs = 2000;
const stderrTailChars = 4096;
/** No kernel goes through all its pids in that time. */
const shortRunMs = 10_000;

const running = new Set<SandboxedProcess>();

/** The last resort when the gateway itself has to go at once. */
export function killAllSandboxes(): void {
  for (const each of running) each.kill();
}

export function countSandboxes(): number {
  return running.size;
}

export function startSandboxed(
  command: LaunchCommand,
  environment: Readonly<Record<string, string>>,
  clock: Clock,
): SandboxedProcess {
  const startedAt = clock.monotonicMs();
  const oomKillsBefore = countOomKills();
  const child = spawn(command, environment);
  const pid = child.pid ?? 0;
  const namespaceInit = watchNamespaceInit(child.stdio[bwrapStatusFd]);
  const stderrTail = watchTail(child.stderr);
  const kill = (): void => signalAll([-pid], 'SIGKILL');
  let isKilledByUs = false;

  const finish = async (exit: BareExit): Promise<ProcessExit> => {
    const seen = { ...exit, isKilledByUs };
    const outOfMemory = wasOomKilled(seen, oomKillsBefore, countOomKills());
    kill();
    const isShort = clock.monotonicMs() - startedAt < shortRunMs;
    // Asked anew each time: what is left may go on forking while it is killed.
    const left = (): number[] =>
      leftOf(namespaceInit(), environment[runMarker], isShort ? pidsSince(pid) : undefined);
    const survivors = await endSurvivors(left, clock);
    await drained(child.stdout, clock);
    for (const stream of child.stdio) stream?.destroy();
    running.delete(sandboxed);
    return { ...exit, outOfMemory, survivors };
  };
  const exited = new Promise<BareExit>((resolve) => {
    child.nodeChildProcess.once('exit', (code, signal) => {
      resolve({ code, signal, startFailure: null });
    });
    void child.then((result) => {
      // Settles later than 'exit' unless there was no process to exit.
      if (child.pid === undefined) {
        resolve({ code: null, signal: null, startFailure: startFailureOf(result) });
      }
    });
  }).then(finish);

  const sandboxed: SandboxedProcess = {
    pid: child.pid ?? null,
    stdin: child.stdin,
    stdout: child.stdout,
    stderrTail,
    exited,
    kill() {
      isKilledByUs = true;
      kill();
    },
    terminate() {
      const init = namespaceInit();
      const program = init === null ? pid : descendantOf(init.pid, command.generations);
      if (program !== null) signalAll([program], 'SIGTERM');
    },
  };
  running.add(sandboxed);
  return sandboxed;
}

function spawn({ file, args, cwd, bwrapArguments }: LaunchCommand, env: Record<string, string>) {
  const child = execa(file, args, {
    cwd,
    env,
    extendEnv: false,
    // A group of its own, so that one signal reaches bwrap and everything beside it.
    detached: true,
    buffer: false,
    reject: false,
    stdio: ['pipe', 'pipe', 'pipe', encodeArguments(bwrapArguments ?? []), 'pipe'],
  });
  // A program that exits before it has read everything is told by its exit code, not by a crash of the gateway.
  for (const stream of child.stdio) stream?.on('error', () => {});
  return child;
}

function encodeArguments(bwrapArguments: readonly string[]): Uint8Array {
  return new TextEncoder().encode(bwrapArguments.map((each) => `${each}\0`).join(''));
}

/** bwrap tells the pid of the first process in the new PID namespace; when that one is gone, so is all that was in it. */
function watchNamespaceInit(status: Readable): () => ProcessIdentity | null {
  let text = '';
  let init: ProcessIdentity | null = null;
  status.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
    const pid = /"child-pid":\s*(\d+)/.exec(text)?.[1];
    if (pid !== undefined) init ??= identify(Number(pid));
  });
  return () => init;
}

function watchTail(stream: Readable): () => string {
  let tail = '';
  stream.setEncoding('utf8');
  stream.on('data', (chunk: string) => (tail = (tail + chunk).slice(-stderrTailChars)));
  return () => tail;
}

async function drained(stream: Readable, clock: Clock): Promise<void> {
  const stop = new AbortController();
  const late = async (): Promise<void> => {
    await clock.sleep(drainMs, stop.signal);
    // A loop that was held up meanwhile has not looked at the pipe yet, in which everything may be.
    await endOfTurn();
    await endOfTurn();
  };
  await Promise.race([
    finished(stream, { signal: stop.signal }).catch(() => {}),
    late().catch(() => {}),
  ]);
  stop.abort();
}

/** Processes of a run that are still there. */
function leftOf(
  namespaceInit: ProcessIdentity | null,
  marker: string | undefined,
  mayBe: ((pid: number) => boolean) | undefined,
): number[] {
  if (namespaceInit !== null) return isAlive(namespaceInit) ? [namespaceInit.pid] : [];
  if (marker === undefined) return [];
  return processesMarked(runMarker, (value) => value === marker, mayBe);
}

async function endSurvivors(left: () => number[], clock: Clock): Promise<number> {
  const giveUpAt = clock.monotonicMs() + goneWithinMs;
  let survivors = left();
  while (survivors.length > 0 && clock.monotonicMs() < giveUpAt) {
    signalAll(survivors, 'SIGKILL');
    await clock.sleep(2);
    survivors = left();
  }
  return survivors.length;
}

function startFailureOf(result: unknown): NodeJS.ErrnoException {
  return result instanceof Error ? result : new Error('the process did not start');
}
