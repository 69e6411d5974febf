// Which claude there is: where it lies and what it says its version is. Looked at again before every run,
// because it may be upgraded or removed while the gateway runs.
import { open, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';

import { findExecutable, isExecutable } from '../sandbox/executable-search.ts';
import type { ProgramFile } from '../sandbox/program-file.ts';

export type ClaudeInstallation = {
  program: ProgramFile;
  /** The whole line that `claude --version` prints. */
  version: string;
};

/** There is no claude to start. `code` tells a missing file from one that cannot be executed. */
export class ClaudeUnavailableError extends Error {
  override readonly name = 'ClaudeUnavailableError';
  readonly code: 'missing' | 'not_executable' | 'broken';

  constructor(code: 'missing' | 'not_executable' | 'broken', message: string) {
    super(message);
    this.code = code;
  }
}

export type ClaudeLookup = {
  /** Throws ClaudeUnavailableError. */
  current(): Promise<ClaudeInstallation>;
};

export function createClaudeLookup(options: {
  /** CLAUDE_BIN; null looks for the project's own and then in PATH. */
  bin: string | null;
  projectDir: string;
  path: string;
  readVersion: (program: ProgramFile) => Promise<string>;
}): ClaudeLookup {
  let known: { key: string; installation: ClaudeInstallation } | null = null;

  return {
    async current() {
      const path = await locate(options);
      const stats = await stat(path).catch(() => missing(path));
      const key = [path, stats.dev, stats.ino, stats.size, stats.mtimeMs].join(' ');
      if (known?.key === key) return known.installation;
      const program = { path, isScript: await isScript(path) };
      const version = await options.readVersion(program);
      known = { key, installation: { program, version } };
      return known.installation;
    },
  };
}

async function locate(options: {
  bin: string | null;
  projectDir: string;
  path: string;
}): Promise<string> {
  if (options.bin !== null) {
    const named = options.bin.includes('/')
      ? null
      : await findExecutable(options.bin, options.path);
    return executable(named ?? options.bin);
  }
  const pinned = join(options.projectDir, 'node_modules', '.bin', 'claude');
  if (await isExecutable(pinned)) return executable(pinned);
  const inPath = await findExecutable('claude', options.path);
  return inPath === null ? missing(`${pinned} or in PATH`) : executable(inPath);
}

async function executable(path: string): Promise<string> {
  const real = await realpath(path).catch(() => missing(path));
  const isFile = (await stat(real)).isFile();
  if (isFile && (await isExecutable(real))) return real;
  throw new ClaudeUnavailableError('not_executable', `${path} is not an executable file`);
}

function missing(where: string): never {
  throw new ClaudeUnavailableError('missing', `there is no claude at ${where}`);
}

async function isScript(path: string): Promise<boolean> {
  await using file = await open(path);
  const { buffer } = await file.read(Buffer.alloc(2), 0, 2, 0);
  return buffer.toString('latin1') === '#!';
}
