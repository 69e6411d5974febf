// The baseline of prepared runs: `claude -p` as somebody types it, with the prompt in the command line and a home of its own.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { realClaude } from '../support/claude-conversation.ts';
import { benchApiKey, benchModel, benchPrompt } from './bare-claude.ts';

const typed = ['-p', benchPrompt, '--model', benchModel, '--tools', ''];
const streamed = ['--output-format=stream-json', '--verbose', '--include-partial-messages'];

/** Milliseconds from the spawn to the exit. */
export function typeClaude(baseUrl: string): Promise<number> {
  return timed(typed, baseUrl, async (child) => {
    const [code] = await once(child, 'close');
    if (code !== 0) throw new Error(`claude exited with ${String(code)}`);
  });
}

/** Milliseconds from the spawn to the first piece of text. */
export function typeClaudeToFirstToken(baseUrl: string): Promise<number> {
  return timed([...typed, ...streamed], baseUrl, async (child) => {
    let output = '';
    for await (const chunk of child.stdout) {
      output += String(chunk);
      if (output.includes('"text_delta"')) return;
    }
    throw new Error(`claude streamed nothing: ${output}`);
  });
}

type Child = ReturnType<typeof spawnClaude>;

function spawnClaude(args: string[], baseUrl: string, home: string) {
  const env = {
    ...{ PATH: process.env['PATH'] ?? '', HOME: home, LANG: 'C.UTF-8' },
    ...{ ANTHROPIC_BASE_URL: baseUrl, ANTHROPIC_API_KEY: benchApiKey },
    // There is no internet here that it could wait for.
    ...{ CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1', DISABLE_AUTOUPDATER: '1' },
  };
  return spawn(realClaude, args, {
    cwd: join(home, 'work'),
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

async function timed(
  args: string[],
  baseUrl: string,
  until: (child: Child) => Promise<void>,
): Promise<number> {
  const home = await mkdtemp(join(tmpdir(), 'gatehouse-typed-'));
  await mkdir(join(home, 'work'));
  try {
    const startedAt = performance.now();
    const child = spawnClaude(args, baseUrl, home);
    const closed = once(child, 'close');
    child.stderr.resume();
    if (!args.includes('--verbose')) child.stdout.resume();
    await until(child);
    const tookMs = performance.now() - startedAt;
    if (child.exitCode === null) await closed;
    return tookMs;
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}
