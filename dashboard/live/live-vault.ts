// What the page shows of the vault, kept up to date by its stream for as long as somebody is signed in.
import { Check } from 'typebox/value';

import { AgentView } from '#shared/vault-agent-api.ts';
import type { ListedAgent } from '#shared/vault-agent-api.ts';
import { VaultError } from '#shared/vault-client-error.ts';
import type { VaultConnection } from '#shared/vault-connection.ts';
import type { EventView, ReadMarkView } from '#shared/vault-event-api.ts';
import { streamEvents } from '#shared/vault-event-stream.ts';

import { failureText } from '../vault/failure-text.ts';
import type { PageVault } from '../vault/page-vault.ts';
import { createStore } from '../vault/store.ts';
import type { Store } from '../vault/store.ts';
import { merged } from './agent-list.ts';
import { emptyFeed, withEvent, withOlder } from './feed-state.ts';
import type { FeedState } from './feed-state.ts';
import { createOutbox } from './outbox.ts';
import type { Outbox } from './outbox.ts';
import { createReadMarks } from './read-marks.ts';
import { pause, whileOnline } from './reconnecting.ts';

export type OpenFeed =
  | { kind: 'loading' }
  | { kind: 'failed'; failure: string }
  | { kind: 'loaded'; feed: FeedState };

export type LiveState = {
  connection: 'connecting' | 'live' | 'offline';
  /** Null until they are known. */
  agents: readonly ListedAgent[] | null;
  agentsFailure: string | null;
  feeds: ReadonlyMap<string, OpenFeed>;
  /** Rises when a host has changed. */
  hostNews: number;
  /** Rises when users, keys, invitations or sign-ins have changed. */
  peopleNews: number;
  /** Rises when something happened that may have been written into the audit log. */
  auditNews: number;
};

export type LiveVault = {
  state: Store<LiveState>;
  outbox: Outbox;
  /** Loads a feed, unless that was done. */
  openFeed: (agentId: string) => void;
  reloadFeed: (agentId: string) => void;
  loadOlder: (agentId: string) => Promise<void>;
  reloadAgents: () => void;
  /** Everything of a feed up to this number was seen. */
  markRead: (agentId: string, seq: number) => void;
  stop: (agentId: string, eventId: string) => Promise<void>;
  /** Follows the stream until it is told to stop. */
  run: (signal: AbortSignal) => Promise<void>;
};

const shownAtFirst = 100;
const pagesAtFirst = 6;
const firstDelayMs = 500;
const maxDelayMs = 10_000;

export function createLiveVault(parts: {
  connection: VaultConnection;
  vault: PageVault;
  userId: string;
}): LiveVault {
  const { connection, vault, userId } = parts;
  const state = createStore<LiveState>({
    ...{ connection: 'connecting', agents: null, agentsFailure: null },
    ...{ feeds: new Map(), hostNews: 0, peopleNews: 0, auditNews: 0 },
  });
  /** What comes for a feed while it is being loaded. */
  const early = new Map<string, EventView[]>();
  let lastSeq: number | null = null;
  let reloading: ReturnType<typeof setTimeout> | undefined;

  const update = (fields: Partial<LiveState>): void => state.set({ ...state.get(), ...fields });
  const putFeed = (agentId: string, open: OpenFeed): void =>
    update({ feeds: new Map(state.get().feeds).set(agentId, open) });
  const changeAgent = (
    agentId: string,
    fields: (agent: ListedAgent) => Partial<ListedAgent>,
  ): void => {
    const agents = state
      .get()
      .agents?.map((agent) =>
        agent.agent_id === agentId ? { ...agent, ...fields(agent) } : agent,
      );
    if (agents !== undefined) update({ agents });
  };

  const loadAgents = async (isAnew = false): Promise<void> => {
    try {
      const loaded = await vault.agents();
      update({ agents: isAnew ? loaded : merged(state.get().agents, loaded), agentsFailure: null });
    } catch (err) {
      update({ agentsFailure: failureText(err) });
    }
  };
  const reloadAgents = (): void => {
    clearTimeout(reloading);
    reloading = setTimeout(() => void loadAgents(), 200);
  };
  const loadFeed = async (agentId: string): Promise<void> => {
    early.set(agentId, []);
    if (state.get().feeds.get(agentId)?.kind !== 'loaded') putFeed(agentId, { kind: 'loading' });
    try {
      const { events, older } = await newestEvents(vault, agentId);
      const all = [...events.toReversed(), ...(early.get(agentId) ?? [])];
      putFeed(agentId, { kind: 'loaded', feed: all.reduce(withEvent, { ...emptyFeed, older }) });
    } catch (err) {
      putFeed(agentId, { kind: 'failed', failure: failureText(err) });
    } finally {
      early.delete(agentId);
    }
  };

  const addToFeed = (event: EventView): void => {
    const { agent_id: agentId } = event;
    if (agentId === null) return;
    early.get(agentId)?.push(event);
    const open = state.get().feeds.get(agentId);
    if (open?.kind !== 'loaded') return;
    const feed = withEvent(open.feed, event);
    if (feed !== open.feed) putFeed(agentId, { kind: 'loaded', feed });
  };
  const noteInList = (event: EventView): void => {
    const { event_type: type, agent_id: agentId, seq, author, metadata } = event;
    if (type === 'host_changed') update({ hostNews: state.get().hostNews + 1 });
    const told = metadata['agent'];
    if (type === 'agent_status' && agentId !== null && Check(AgentView, told)) {
      changeAgent(agentId, () => told);
    } else if (type.startsWith('agent_')) {
      reloadAgents();
    } else if (agentId !== null && (type === 'user_message' || type === 'assistant_message')) {
      changeAgent(agentId, (agent) => {
        const isNews = author.id !== userId && seq > Math.max(agent.last_seq, agent.read_seq ?? 0);
        const unread = (agent.unread ?? 0) + (isNews ? 1 : 0);
        return { last_seq: Math.max(agent.last_seq, seq), unread };
      });
    }
  };
  const noteAudit = (): void => update({ auditNews: state.get().auditNews + 1 });
  const notePeople = (): void => {
    const { peopleNews, auditNews } = state.get();
    update({ peopleNews: peopleNews + 1, auditNews: auditNews + 1 });
  };
  const take = (event: EventView): void => {
    lastSeq = event.seq;
    if (event.event_type !== 'assistant_delta') noteAudit();
    noteInList(event);
    addToFeed(event);
  };
  const takeRead = ({ agent_id: agentId, seq }: ReadMarkView): void => {
    const agent = state.get().agents?.find(({ agent_id: id }) => id === agentId);
    if (agent === undefined || (agent.read_seq ?? 0) >= seq) return;
    const isAll = seq >= agent.last_seq;
    changeAgent(agentId, () => ({ read_seq: seq, ...(isAll ? { unread: 0 } : {}) }));
    // How many are left is for the vault to say.
    if (!isAll) reloadAgents();
  };
  const outbox = createOutbox(vault.post, addToFeed);
  const readMarks = createReadMarks(vault);

  const reloadAll = (): void => {
    void loadAgents(true);
    for (const agentId of state.get().feeds.keys()) void loadFeed(agentId);
  };
  const follow = async (signal: AbortSignal): Promise<void> => {
    const after = lastSeq;
    const onOpen = (): void => {
      update({ connection: 'live' });
      // From here on what happens is told; what happened before is asked for.
      if (after === null) reloadAll();
      else {
        // What notices have told meanwhile is told by no event.
        reloadAgents();
        notePeople();
      }
      outbox.retryWaiting();
    };
    const start = {
      signal,
      onOpen,
      notices: { onRead: takeRead, onPeople: notePeople },
      ...(after === null ? {} : { after }),
    };
    for await (const event of streamEvents(connection, start)) take(event);
  };
  return {
    ...{ state, outbox, reloadAgents },
    openFeed(agentId) {
      const open = state.get().feeds.get(agentId);
      const isKnown = open !== undefined && open.kind !== 'failed';
      // Before the stream is there, an event could be missed between both.
      if (isKnown) return;
      if (state.get().connection === 'live' || lastSeq !== null) void loadFeed(agentId);
      else putFeed(agentId, { kind: 'loading' });
    },
    reloadFeed: (agentId) => void loadFeed(agentId),
    async loadOlder(agentId) {
      const open = state.get().feeds.get(agentId);
      if (open?.kind !== 'loaded' || open.feed.older === null) return;
      const { items, next } = await vault.events(agentId, open.feed.older);
      const now = state.get().feeds.get(agentId);
      if (now?.kind !== 'loaded' || now.feed.older !== open.feed.older) return;
      putFeed(agentId, { kind: 'loaded', feed: withOlder(now.feed, items, next) });
    },
    markRead(agentId, seq) {
      const agent = state.get().agents?.find(({ agent_id: id }) => id === agentId);
      if (agent === undefined || (agent.read_seq ?? 0) >= seq) return;
      changeAgent(agentId, () => ({ read_seq: seq, unread: 0 }));
      readMarks.put(agentId, seq);
    },
    async stop(agentId, eventId) {
      const request = { event_type: 'cancel_request', content: '', reply_to: eventId };
      addToFeed(await vault.post(agentId, request, `stop-${eventId}`));
    },
    async run(signal) {
      let delayMs = firstDelayMs;
      while (!signal.aborted) {
        const startedAt = Date.now();
        try {
          await whileOnline(signal, follow);
        } catch (err) {
          if (signal.aborted) return;
          // The vault's data are other ones than before: an earlier backup, perhaps.
          if (err instanceof VaultError && err.status === 410) lastSeq = null;
        }
        if (signal.aborted) return;
        update({ connection: 'offline' });
        if (Date.now() - startedAt > maxDelayMs) delayMs = firstDelayMs;
        await pause(delayMs * (0.5 + Math.random() / 2), signal);
        delayMs = Math.min(maxDelayMs, delayMs * 2);
      }
    },
  };
}

/** Newest first; enough that there is something to show. */
async function newestEvents(
  vault: Pick<PageVault, 'events'>,
  agentId: string,
): Promise<{ events: EventView[]; older: string | null }> {
  const events: EventView[] = [];
  let older: string | null = null;
  for (let pages = 0; pages < pagesAtFirst; pages += 1) {
    const { items, next } = await vault.events(agentId, older);
    events.push(...items);
    older = next;
    if (next === null || events.reduce(withShown, 0) >= shownAtFirst) break;
  }
  return { events, older };
}

function withShown(count: number, { event_type: type }: EventView): number {
  return count + (type === 'assistant_delta' || type.startsWith('claim_') ? 0 : 1);
}
