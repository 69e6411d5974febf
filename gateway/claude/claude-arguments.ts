// The flags of one run. Nothing that a user wrote is ever among them: numbers only, after they were checked.
export type SpawnProfile = {
  maxTurns: number | null;
  maxBudgetUsd: number | null;
  /** Kept on disk, to be gone on with; null for a run on its own. */
  conversation?: Conversation | null;
};

/** `id`: a UUID of ours; the CLI would take anything else for a title. */
export type Conversation = { id: string; isBegun: boolean };

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
    conversationFlag(profile.conversation ?? null),
    ...(profile.maxTurns === null ? [] : [`--max-turns=${profile.maxTurns}`]),
    ...(profile.maxBudgetUsd === null ? [] : [`--max-budget-usd=${profile.maxBudgetUsd}`]),
  ];
}

function conversationFlag(conversation: Conversation | null): string {
  if (conversation === null) return '--no-session-persistence';
  return conversation.isBegun ? `--resume=${conversation.id}` : `--session-id=${conversation.id}`;
}
