// Runs a few lines of TypeScript in a process of their own, to be killed or to hold a lock.
import { spawn } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';

import { quickStart } from './quick-start.ts';

export type ScriptEnd = {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
};

export type Script = {
  child: ChildProcessByStdio<Writable, Readable, Readable>;
  /** Resolves with the first line of stdout that holds `text`. */
  said: (text: string) => Promise<string>;
  ended: Promise<ScriptEnd>;
  [Symbol.asyncDispose]: () => Promise<void>;
};

const root = join(import.meta.dirname, '../..');

/** Runs in the root of the project, so that it imports `./shared/…` and `#shared/…`. */
export function startScript(source: string, env: Record<string, string> = {}): Script {
  return startNode(['--input-type=module-typescript', '--eval', source], env);
}

/** `launcher`: a command line that Node's own is appended to. */
export function startNode(
  args: readonly string[],
  env: Record<string, string> = {},
  launcher: readonly string[] = [],
): Script {
  const [file = process.execPath, ...rest] = [...launcher, process.execPath, ...args];
  const child = spawn(file, rest, {
    cwd: root,
    env: { PATH: process.env['PATH'], ...quickStart, ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const lines: string[] = [];
  const waiting = new Set<(line: string) => void>();
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(line);
    for (const look of waiting) {
      look(line);
    }
  });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const ended = once(child, 'close').then(([code, signal]: unknown[]) => ({
    code: code as number | null,
    signal: signal as NodeJS.Signals | null,
    stdout: lines.join('\n'),
    stderr,
  }));

  async function said(text: string): Promise<string> {
    const early = lines.find((line) => line.includes(text));
    if (early !== undefined) {
      return early;
    }
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const look = (line: string): void => {
      if (line.includes(text)) {
        resolve(line);
      }
    };
    waiting.add(look);
    void ended.then((end) => {
      reject(new Error(`it ended without saying ${text}: ${JSON.stringify(end)}`));
    });
    return await promise.finally(() => waiting.delete(look));
  }

  return {
    child,
    said,
    ended,
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
