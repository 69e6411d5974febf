// A program in its sandbox that is asked nothing and says something: started, read to its end, killed when it takes too long.
import { text } from 'node:stream/consumers';

import type { Clock } from '#shared/clock.ts';

import type { LaunchCommand } from './launch-command.ts';
import { startSandboxed } from './sandboxed-process.ts';
import type { ProcessExit } from './sandboxed-process.ts';

export type ShortProgramEnd = ProcessExit & { output: string; stderrTail: string };

export async function runShortProgram(
  command: LaunchCommand,
  environment: Readonly<Record<string, string>>,
  timeoutMs: number,
  clock: Clock,
): Promise<ShortProgramEnd> {
  const child = startSandboxed(command, environment, clock);
  const timer = setTimeout(child.kill, timeoutMs);
  child.stdin.end();
  const output = await text(child.stdout).catch(() => '');
  const exit = await child.exited;
  clearTimeout(timer);
  return { ...exit, output, stderrTail: child.stderrTail() };
}
