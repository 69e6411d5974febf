// The flags of one run. Nothing that a user wrote is ever among them: numbers only, after they were checked.
export type SpawnProfile = {
  maxTurns: number | null;
  maxBudgetUsd: number | null;
};

/** Of a run without limits of its own. */
export const plainProfile: SpawnProfile = { maxTurns: null, maxBudgetUsd: null };

export function claudeArguments(profile: SpawnProfile): string[] {
  return [
    '-p',
    '--input-format=stream-json',
    '--output-format=stream-json',
    '--verbose',
    '--include-partial-messages',
    '--tools=',
    // No settings, hooks, CLAUDE.md, skills or MCP servers of any directory.
    '--setting-sources=',
    '--strict-mcp-config',
    '--permission-mode=dontAsk',
    '--no-session-persistence',
    ...(profile.maxTurns === null ? [] : [`--max-turns=${profile.maxTurns}`]),
    ...(profile.maxBudgetUsd === null ? [] : [`--max-budget-usd=${profile.maxBudgetUsd}`]),
  ];
}
