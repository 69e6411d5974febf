// The flags of one run. Nothing that a user wrote is ever among them: numbers only, after they were checked.
export type SpawnProfile = {
  maxTurns: number | null;
  maxBudgetUsd: number | null;
  /** Kept on disk, to be gone on with; null for a run on its own. */
  conversation?: Conversation | null;
  /** None when it is not said. */
  tools?: ToolSet;
};

/** Of a run without limits of its own. */
export const plainProfile: SpawnProfile = { maxTurns: null, maxBudgetUsd: null };

/** What a run may do with the files of its work directory. */
export type ToolSet = 'none' | 'read' | 'write';

const readers = ['Read', 'Glob', 'Grep'];
const toolNames: Record<ToolSet, readonly string[]> = {
  none: [],
  read: readers,
  write: [...readers, 'Edit', 'Write'],
};

/** `id`: a UUID of ours; the CLI would take anything else for a title. */
export type Conversation = { id: string; isBegun: boolean };

export function claudeArguments(profile: SpawnProfile): string[] {
  const { tools = 'none' } = profile;
  return [
    '-p',
    '--input-format=stream-json',
    '--output-format=stream-json',
    '--verbose',
    '--include-partial-messages',
    `--tools=${toolNames[tools].join(',')}`,
    // No settings, hooks, CLAUDE.md, skills or MCP servers of any directory.
    '--setting-sources=',
    '--strict-mcp-config',
    // What would have to be asked for is refused: nobody answers.
    `--permission-mode=${tools === 'write' ? 'acceptEdits' : 'dontAsk'}`,
    conversationFlag(profile.conversation ?? null),
    // Confines the tools to the work directory, links resolved; without it they read all that the sandbox shows.
    ...(tools === 'none' ? [] : ['--restricted']),
    ...(profile.maxTurns === null ? [] : [`--max-turns=${profile.maxTurns}`]),
    ...(profile.maxBudgetUsd === null ? [] : [`--max-budget-usd=${profile.maxBudgetUsd}`]),
  ];
}

function conversationFlag(conversation: Conversation | null): string {
  if (conversation === null) return '--no-session-persistence';
  return conversation.isBegun ? `--resume=${conversation.id}` : `--session-id=${conversation.id}`;
}
