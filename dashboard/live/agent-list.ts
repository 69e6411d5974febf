// The agents as the vault lists them, over what the page knows of them.
import type { ListedAgent } from '#shared/vault-agent-api.ts';

/** The list was made before it came: a message may have been told meanwhile, or something read. */
export function merged(
  known: readonly ListedAgent[] | null,
  loaded: readonly ListedAgent[],
): readonly ListedAgent[] {
  return loaded.map((agent) => {
    const before = known?.find(({ agent_id: id }) => id === agent.agent_id);
    return before === undefined ? agent : { ...agent, ...readingOf(before, agent) };
  });
}

function readingOf(
  before: ListedAgent,
  loaded: ListedAgent,
): Pick<ListedAgent, 'last_seq' | 'read_seq' | 'unread'> {
  const isOlder = loaded.last_seq < before.last_seq;
  const { last_seq, unread } = isOlder ? before : loaded;
  const readSeq = Math.max(before.read_seq ?? 0, loaded.read_seq ?? 0);
  const read_seq = loaded.read_seq === null && before.read_seq === null ? null : readSeq;
  return { last_seq, read_seq, unread: readSeq >= last_seq && unread !== null ? 0 : unread };
}
