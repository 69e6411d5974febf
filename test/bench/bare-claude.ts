// The baseline: the CLI started by hand, with what the gateway would give it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { claudeArguments } from '../../gateway/claude/claude-arguments.ts';
import { bindingLines } from '../../gateway/claude/claude-binding.ts';
import { claudeEnvironment } from '../../gateway/claude/claude-environment.ts';
import { runDirectoryAt } from '../../gateway/sandbox/run-directory-layout.ts';
import type { RunDirectory } from '../../gateway/sandbox/run-directory-layout.ts';

export const benchApiKey = 'sk-test-not-a-real-key';
export const benchPrompt = 'Say that the bench runs.';
export const benchModel = 'sonnet';

const lines = bindingLines({
  prompt: benchPrompt,
  model: benchModel,
  system: null,
  effort: null,
  jsonSchema: null,
});
const args = claudeArguments({ maxTurns: null, maxBudgetUsd: null });

/** Milliseconds from the spawn to the end of its output; fresh directories are made before and removed after. */
export async function runBareClaude(program: string, baseUrl: string | null): Promise<number> {
  const root = await mkdtemp(join(tmpdir(), 'gatehouse-bare-'));
  const directory = runDirectoryAt(root);
  for (const path of [directory.work, directory.home, directory.tmp]) await mkdir(path);
  try {
    return await timeProcess(program, directory, baseUrl);
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

async function timeProcess(
  program: string,
  directory: RunDirectory,
  baseUrl: string | null,
): Promise<number> {
  const env = claudeEnvironment({
    runId: 'bare',
    tier: 'none',
    directory,
    credential: { ANTHROPIC_API_KEY: benchApiKey },
    loginDir: null,
    baseUrl,
  });
  const startedAt = performance.now();
  const child = spawn(program, args, { cwd: directory.work, env, stdio: 'pipe' });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (output += chunk));
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (output += chunk));
  child.stdin.on('error', () => {});
  child.stdin.end(lines);
  const [code] = await once(child, 'close');
  const tookMs = performance.now() - startedAt;
  if (code !== 0 || !output.includes('"subtype":"success"')) {
    throw new Error(`bare claude failed with ${String(code)}: ${output}`);
  }
  return tookMs;
}
