import { expect, test } from 'vitest';

import { claudeArguments } from '../../gateway/claude/claude-arguments.ts';
import type { SpawnProfile } from '../../gateway/claude/claude-arguments.ts';

const usual = [
  ...['-p', '--input-format=stream-json', '--output-format=stream-json', '--verbose'],
  '--include-partial-messages',
];
const bare = ['--setting-sources=', '--strict-mcp-config'];
const limits = { maxTurns: null, maxBudgetUsd: null };

test.each<[SpawnProfile, string[]]>([
  [
    limits,
    [...usual, '--tools=', ...bare, '--permission-mode=dontAsk', '--no-session-persistence'],
  ],
  [
    { maxTurns: 3, maxBudgetUsd: 0.5, tools: 'none' },
    [
      ...[...usual, '--tools=', ...bare, '--permission-mode=dontAsk', '--no-session-persistence'],
      ...['--max-turns=3', '--max-budget-usd=0.5'],
    ],
  ],
  [
    { ...limits, tools: 'read' },
    [
      ...[...usual, '--tools=Read,Glob,Grep', ...bare, '--permission-mode=dontAsk'],
      ...['--no-session-persistence', '--restricted'],
    ],
  ],
  [
    { ...limits, tools: 'write' },
    [
      ...[...usual, '--tools=Read,Glob,Grep,Edit,Write', ...bare],
      ...['--permission-mode=acceptEdits', '--no-session-persistence', '--restricted'],
    ],
  ],
])('the flags for %j are these and no other', (profile, flags) => {
  expect(claudeArguments(profile)).toEqual(flags);
});
