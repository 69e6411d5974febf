// What a user has read of each feed.
import { requestError } from '#shared/errors.ts';
import type { ListedAgent } from '#shared/vault-agent-api.ts';

import type { AgentRow, Db } from '../database/tables.ts';
import type { Principal } from '../permission/principal.ts';
import { agentView } from './agent-registry.ts';
import { countUnread, lastMessageSeq, putReadMark, readMark } from './agent-store.ts';

export async function withReading(
  db: Db,
  agents: readonly AgentRow[],
  principal: Principal,
): Promise<ListedAgent[]> {
  return Promise.all(
    agents.map(async (agent) => {
      const { agentId } = agent;
      const listed = { ...agentView(agent), last_seq: await lastMessageSeq(db, agentId) };
      if (principal.kind !== 'user') return { ...listed, read_seq: null, unread: null };
      const { userId } = principal;
      const mark = await readMark(db, userId, agentId);
      const unread = await countUnread(db, agentId, userId, mark ?? 0);
      return { ...listed, read_seq: mark, unread };
    }),
  );
}

/** Never back: another page of the same user may have read on. Gives where the mark is. */
export async function markAsRead(
  db: Db,
  { realm, agentId }: AgentRow,
  principal: Principal,
  { seq, now }: { seq: number; now: string },
): Promise<number> {
  if (principal.kind !== 'user') throw requestError('forbidden', 'only people have read marks');
  const { userId } = principal;
  const mark = (await readMark(db, userId, agentId)) ?? 0;
  if (seq <= mark) return mark;
  await putReadMark(db, { realm, userId, agentId, seq, updatedAt: now });
  return seq;
}
