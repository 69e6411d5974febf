// The agents of the dashboard: made, renamed, put in order, put away, and how they are.
import { isoTime } from '#shared/clock.ts';
import type { Clock } from '#shared/clock.ts';
import { requestError } from '#shared/errors.ts';
import type { NewId } from '#shared/ids.ts';
import type {
  AgentChange,
  AgentOrder,
  AgentRequest,
  AgentStatusRequest,
  AgentView,
} from '#shared/vault-agent-api.ts';

import type { AgentRow, Db } from '../database/tables.ts';
import type { WriteScope } from '../database/write-line.ts';
import { vaultAuthor } from '../feeds/feed.ts';
import type { Feed } from '../feeds/feed.ts';
import { notFound } from '../vault-errors.ts';
import {
  findAgent,
  insertAgent,
  isNameTaken,
  lastPlace,
  listAgents,
  listReportedAgents,
  readOrderVersion,
  updateAgent,
  writeOrderVersion,
} from './agent-store.ts';

/** What changes something runs inside a transaction; `check` sees the version of what is to be changed. */
export type AgentRegistry = {
  /** Throws `not_found`. */
  find: (db: Db, agentId: string) => Promise<AgentRow>;
  /** The same, and `conflict` for one that is put away. */
  findOpen: (db: Db, agentId: string) => Promise<AgentRow>;
  create: (scope: WriteScope, request: AgentRequest) => Promise<AgentRow>;
  change: (
    scope: WriteScope,
    agentId: string,
    change: AgentChange,
    check: Check,
  ) => Promise<AgentRow>;
  archive: (scope: WriteScope, agentId: string, check: Check) => Promise<void>;
  restore: (scope: WriteScope, agentId: string, check: Check) => Promise<AgentRow>;
  /** Of these agents; null for all. */
  order: (db: Db, agentIds: readonly string[] | null) => Promise<AgentOrder>;
  /** Those named come first, in this order; the others stay behind them in theirs. */
  reorder: (scope: WriteScope, agentIds: readonly string[], check: Check) => Promise<AgentOrder>;
  /** `isNews`: the state is another one. */
  report: (
    scope: WriteScope,
    agentId: string,
    status: AgentStatusRequest,
  ) => Promise<{ agent: AgentRow; isNews: boolean }>;
  hasSilent: (db: Db) => Promise<boolean>;
  /** Whoever has not reported for long is offline. */
  endSilent: (scope: WriteScope) => Promise<void>;
};

export type Check = (version: number) => void;

const silentMs = 60_000;
const agentsMax = 1000;

export function createAgentRegistry(parts: {
  realm: string;
  feed: Feed;
  newId: NewId;
  clock: Clock;
}): AgentRegistry {
  const { realm, feed, newId, clock } = parts;
  const now = (): string => isoTime(clock.now());
  /** When each has reported, on a clock that never jumps; before that, since when somebody could. */
  const seen = new Map<string, number>();
  const openedAt = clock.monotonicMs();

  const tell = async (scope: WriteScope, type: string, agent: AgentRow): Promise<void> => {
    const metadata = { source: 'vault', agent: agentView(agent) };
    await feed.append(scope, { agentId: agent.agentId, type, metadata, author: vaultAuthor });
  };
  const find: AgentRegistry['find'] = async (db, agentId) => {
    const agent = await findAgent(db, realm, agentId);
    if (agent === null) throw notFound('agent');
    return agent;
  };
  const findOpen: AgentRegistry['findOpen'] = async (db, agentId) => {
    const agent = await find(db, agentId);
    if (agent.archivedAt !== null)
      throw requestError('conflict', 'the agent is archived: restore it first');
    return agent;
  };
  const requireFree = async (db: Db, name: string): Promise<void> => {
    if (!(await isNameTaken(db, realm, name))) return;
    throw requestError('conflict', `there is an agent named ${name} already`, {
      details: { field: 'name' },
    });
  };
  /** Of whatever If-Match guards. */
  const update = async (
    scope: WriteScope,
    agent: AgentRow,
    change: Partial<AgentRow>,
    type: string,
  ): Promise<AgentRow> => {
    const changed = { ...agent, ...change, version: agent.version + 1, updatedAt: now() };
    const { agentId, realm: _, ...columns } = changed;
    await updateAgent(scope.db, agentId, columns);
    await tell(scope, type, changed);
    return changed;
  };
  const setStatus = async (
    scope: WriteScope,
    agent: AgentRow,
    { status, statusText }: Pick<AgentRow, 'status' | 'statusText'>,
    seenAt: string | null,
  ): Promise<{ agent: AgentRow; isNews: boolean }> => {
    const isNews = agent.status !== status || agent.statusText !== statusText;
    const reported = { ...agent, status, statusText, lastSeenAt: seenAt };
    await updateAgent(scope.db, agent.agentId, { status, statusText, lastSeenAt: seenAt });
    if (isNews) await tell(scope, 'agent_status', reported);
    return { agent: reported, isNews };
  };
  const silentOnes = async (db: Db): Promise<AgentRow[]> => {
    const since = clock.monotonicMs() - silentMs;
    const agents = await listReportedAgents(db, realm);
    return agents.filter(({ agentId }) => (seen.get(agentId) ?? openedAt) <= since);
  };
  const order: AgentRegistry['order'] = async (db, agentIds) => {
    const filter = { realm, agentIds, isArchived: false };
    const agents = await listAgents(db, filter, null, agentsMax);
    return {
      agent_ids: agents.map(({ agentId }) => agentId),
      version: await readOrderVersion(db, realm),
    };
  };

  return {
    find,
    findOpen,
    async create(scope, { name, description = '', labels = [] }) {
      await requireFree(scope.db, name);
      const { agent_ids: all } = await order(scope.db, null);
      if (all.length >= agentsMax) {
        throw requestError('conflict', `there are ${agentsMax} agents: archive some first`);
      }
      const at = now();
      const agent: AgentRow = {
        ...{ agentId: newId('agent'), realm, name, description, labels: JSON.stringify(labels) },
        ...{
          place: (await lastPlace(scope.db, realm)) + 1,
          version: 1,
          createdAt: at,
          updatedAt: at,
        },
        ...{ archivedAt: null, status: 'offline', statusText: null, lastSeenAt: null },
      };
      await insertAgent(scope.db, agent);
      await tell(scope, 'agent_created', agent);
      return agent;
    },
    async change(scope, agentId, { name, description, labels }, check) {
      const agent = await findOpen(scope.db, agentId);
      check(agent.version);
      if (name !== undefined && name !== agent.name) await requireFree(scope.db, name);
      const change = {
        ...(name === undefined ? {} : { name }),
        ...(description === undefined ? {} : { description }),
        ...(labels === undefined ? {} : { labels: JSON.stringify(labels) }),
      };
      return update(scope, agent, change, 'agent_changed');
    },
    async archive(scope, agentId, check) {
      const agent = await findOpen(scope.db, agentId);
      check(agent.version);
      const away = { archivedAt: now(), status: 'offline', statusText: null } as const;
      await update(scope, agent, away, 'agent_archived');
    },
    async restore(scope, agentId, check) {
      const agent = await find(scope.db, agentId);
      check(agent.version);
      if (agent.archivedAt === null) throw requestError('conflict', 'the agent is not archived');
      await requireFree(scope.db, agent.name);
      const place = (await lastPlace(scope.db, realm)) + 1;
      return update(scope, agent, { archivedAt: null, place }, 'agent_changed');
    },
    order,
    async reorder(scope, agentIds, check) {
      const before = await order(scope.db, null);
      check(before.version);
      const known = new Set(before.agent_ids);
      if (!agentIds.every((agentId) => known.has(agentId))) throw notFound('agent');
      const named = new Set(agentIds);
      const after = [...agentIds, ...before.agent_ids.filter((agentId) => !named.has(agentId))];
      for (const [index, agentId] of after.entries()) {
        await updateAgent(scope.db, agentId, { place: index + 1 });
      }
      const version = before.version + 1;
      await writeOrderVersion(scope.db, realm, version);
      const metadata = { source: 'vault', agent_ids: after };
      await feed.append(scope, {
        agentId: null,
        type: 'agent_changed',
        metadata,
        author: vaultAuthor,
      });
      return { agent_ids: after, version };
    },
    async report(scope, agentId, { status, status_text: statusText = null }) {
      const agent = await findOpen(scope.db, agentId);
      seen.set(agentId, clock.monotonicMs());
      return setStatus(scope, agent, { status, statusText }, now());
    },
    hasSilent: async (db) => (await silentOnes(db)).length > 0,
    async endSilent(scope) {
      const statusText = 'its watcher has not reported for a minute';
      for (const agent of await silentOnes(scope.db)) {
        await setStatus(scope, agent, { status: 'offline', statusText }, agent.lastSeenAt);
      }
    },
  };
}

export function agentView(row: AgentRow): AgentView {
  const labels: string[] = JSON.parse(row.labels);
  return {
    agent_id: row.agentId,
    name: row.name,
    description: row.description,
    labels,
    place: row.place,
    status: row.status,
    status_text: row.statusText,
    last_seen_at: row.lastSeenAt,
    created_at: row.createdAt,
    updated_at: row.updatedAt,
    archived_at: row.archivedAt,
    version: row.version,
  };
}
