// What the watcher knows of each message, on disk before anybody relies on it.
import { isoTime } from '#shared/clock.ts';
import type { Clock } from '#shared/clock.ts';
import type { DatabaseWriter } from '#shared/database-writer.ts';
import type { EventView } from '#shared/vault-event-api.ts';

import type { WatchedAgent } from '../agent-roster.ts';
import type { Checkpoint } from '../checkpoint.ts';
import type { InboxItem, JournalStore, Message, MessageChange } from './journal-store.ts';

export type Taken = { messages: Message[]; inboxItems: InboxItem[]; cancelled: string[] };

export type Journal = {
  cursor: () => number | null;
  /** Stores what there is to do, and moves the cursor, in one transaction. */
  take: (events: readonly EventView[], upTo: number) => Promise<Taken>;
  /** Gives the message as it is then. */
  change: (message: Message, change: MessageChange) => Promise<Message>;
  /** The oldest of each conversation that may be answered now. */
  heads: () => Message[];
  openInboxItems: (limit: number) => InboxItem[];
  markWritten: (item: InboxItem) => Promise<void>;
  session: (conversation: string) => string | null;
  putSession: (conversation: string, sessionId: string) => Promise<void>;
  forgetSession: (conversation: string) => Promise<void>;
  /** Lets those that were given up be tried again. Gives how many. */
  replayDead: (eventId: string | null) => Promise<number>;
  counts: () => { open: number; dead: number };
  /** Old ones that are done. */
  prune: (olderThanMs: number) => Promise<number>;
};

const pruneBatch = 500;
/** More conversations than this wait for those before them. */
const headsMax = 1000;

export function createJournal(parts: {
  store: JournalStore;
  writer: DatabaseWriter;
  findAgent: (agentId: string) => WatchedAgent | null;
  checkpoint: Checkpoint;
  clock: Clock;
}): Journal {
  const { store, writer, findAgent, checkpoint, clock } = parts;
  const now = (): string => isoTime(clock.now());

  const takeOne = (event: EventView, taken: Taken): void => {
    const agent = event.agent_id === null ? null : findAgent(event.agent_id);
    if (agent === null) return;
    if (event.event_type === 'cancel_request') {
      const message = event.reply_to === null ? null : store.find(event.reply_to);
      if (message === null) return;
      store.change(message.seq, { cancelAsked: 1 }, now());
      taken.cancelled.push(message.eventId);
      return;
    }
    if (event.event_type !== 'user_message') return;
    const { seq, event_id: eventId } = event;
    if (event.metadata['source'] !== 'dashboard') {
      const item = { seq, eventId, agentId: agent.agentId, text: inboxText(event) };
      store.insertInboxItem(item);
      taken.inboxItems.push(item);
      return;
    }
    const isNew = store.insertMessage({
      ...{ seq, eventId, agentId: agent.agentId, conversation: conversationOf(event, agent) },
      ...{
        content: event.content,
        attachments: JSON.stringify(event.attachments),
        createdAt: now(),
      },
    });
    const message = isNew ? store.find(eventId) : null;
    if (message !== null) taken.messages.push(message);
  };
  return {
    cursor: store.cursor,
    async take(events, upTo) {
      checkpoint('fetched');
      const taken = await writer.write(() => {
        const result: Taken = { messages: [], inboxItems: [], cancelled: [] };
        for (const event of events) takeOne(event, result);
        checkpoint('event_stored');
        store.moveCursor(upTo);
        return result;
      });
      checkpoint('cursor_moved');
      return taken;
    },
    async change(message, change) {
      await writer.write(() => store.change(message.seq, change, now()));
      return { ...message, ...change };
    },
    heads: () => store.heads(now(), headsMax),
    openInboxItems: store.openInboxItems,
    markWritten: ({ seq }) => writer.write(() => store.markWritten(seq, now())),
    session: store.session,
    putSession: (conversation, sessionId) =>
      writer.write(() => store.putSession(conversation, sessionId, now())),
    forgetSession: (conversation) => writer.write(() => store.forgetSession(conversation)),
    replayDead: (eventId) => writer.write(() => replayDead(store, eventId, now())),
    counts: () => ({ open: store.openCount(), dead: store.dead().length }),
    prune: (olderThanMs) =>
      writer.write(() => store.removeDoneBefore(isoTime(clock.now() - olderThanMs), pruneBatch)),
  };
}

/** Inside a transaction. Those that were given up, or the one, may be tried again; gives how many. */
export function replayDead(store: JournalStore, eventId: string | null, at: string): number {
  const dead = store.dead().filter((message) => eventId === null || message.eventId === eventId);
  const again = { state: 'stored', replayed: 1, cancelAsked: 0, notBefore: null } as const;
  for (const { seq } of dead) store.change(seq, again, at);
  return dead.length;
}

/** Messages that share it are answered in order, by one session. */
function conversationOf(event: EventView, { agentId, settings }: WatchedAgent): string {
  const { session = 'agent' } = settings;
  if (session === 'agent') return agentId;
  if (session === 'none') return `${agentId} ${event.event_id}`;
  const thread = event.metadata['thread'];
  return `${agentId} ${typeof thread === 'string' ? thread : (event.reply_to ?? event.event_id)}`;
}

function inboxText(event: EventView): string {
  const { event_id: id, created_at: at, author, content, attachments } = event;
  const files = attachments.map(
    ({ name, attachment_id: file }) => `- attachment: ${name} (${file})`,
  );
  const lines = [`## ${at}, ${author.name} (${author.kind})`, '', content, ...files];
  // The line that tells an entry from what was written into one; with it a program could also keep another's entry out.
  const text = lines
    .join('\n')
    .trimEnd()
    .replaceAll(/<!--(?=\s*evt_)/g, '<\\!--');
  return `<!-- ${id} -->\n${text}\n\n`;
}
