import type { Database } from '#shared/database.ts';

export const openStates = ['stored', 'started', 'ended', 'posting'] as const;
export type MessageState = (typeof openStates)[number] | 'posted' | 'skipped' | 'dead';

/** A message of a person to an agent, and how far the watcher is with it. */
export type Message = {
  seq: number;
  eventId: string;
  agentId: string;
  conversation: string;
  content: string;
  /** JSON. */
  attachments: string;
  state: MessageState;
  attempt: number;
  claims: number;
  fence: number | null;
  request: string | null;
  runId: string | null;
  answer: string | null;
  cancelAsked: 0 | 1;
  replayed: 0 | 1;
  notBefore: string | null;
  error: string | null;
  createdAt: string;
  updatedAt: string;
};

export type NewMessage = Pick<
  Message,
  'seq' | 'eventId' | 'agentId' | 'conversation' | 'content' | 'attachments' | 'createdAt'
>;

export type MessageChange = Partial<
  Pick<
    Message,
    | 'state'
    | 'attempt'
    | 'claims'
    | 'fence'
    | 'request'
    | 'runId'
    | 'answer'
    | 'cancelAsked'
    | 'replayed'
    | 'notBefore'
    | 'error'
  >
>;

export type InboxItem = { seq: number; eventId: string; agentId: string; text: string };

export type JournalStore = {
  /** Its own, and the same at every start. */
  watcherId: (makeId: () => string) => string;
  /** Null before the first start. */
  cursor: () => number | null;
  moveCursor: (seq: number) => void;
  /** False when it was there already. */
  insertMessage: (message: NewMessage) => boolean;
  find: (eventId: string) => Message | null;
  /** The oldest that is not done of each conversation, in order, those only that may be tried at `time` (ISO). */
  heads: (time: string, limit: number) => Message[];
  openCount: () => number;
  change: (seq: number, change: MessageChange, at: string) => void;
  dead: () => Message[];
  insertInboxItem: (item: InboxItem) => void;
  openInboxItems: (limit: number) => InboxItem[];
  markWritten: (seq: number, at: string) => void;
  session: (conversation: string) => string | null;
  putSession: (conversation: string, sessionId: string, at: string) => void;
  forgetSession: (conversation: string) => void;
  /** Those that are done and older; gives how many. */
  removeDoneBefore: (time: string, limit: number) => number;
};

const columns = `seq, event_id as eventId, agent_id as agentId, conversation, content, attachments, state, attempt, claims,
  fence, request, run_id as runId, answer, cancel_asked as cancelAsked, replayed, not_before as notBefore, error,
  created_at as createdAt, updated_at as updatedAt`;

const columnOf = {
  state: 'state',
  attempt: 'attempt',
  claims: 'claims',
  fence: 'fence',
  request: 'request',
  runId: 'run_id',
  answer: 'answer',
  cancelAsked: 'cancel_asked',
  replayed: 'replayed',
  notBefore: 'not_before',
  error: 'error',
} as const satisfies Record<keyof MessageChange, string>;

export function createJournalStore(db: Database): JournalStore {
  const cursor = db.prepare<[], { seq: number }>('select seq from cursor');
  const moveCursor = db.prepare<[number]>(
    `insert into cursor (one, seq) values (1, ?)
     on conflict (one) do update set seq = excluded.seq where excluded.seq > cursor.seq`,
  );
  const insertMessage = db.prepare<[NewMessage]>(
    `insert into messages (seq, event_id, agent_id, conversation, content, attachments, state, created_at, updated_at)
     values (@seq, @eventId, @agentId, @conversation, @content, @attachments, 'stored', @createdAt, @createdAt)
     on conflict do nothing`,
  );
  const find = db.prepare<[string], Message>(`select ${columns} from messages where event_id = ?`);
  // One that was put off in the future was so before the clock was set back: it has waited.
  const heads = db.prepare<[{ time: string; limit: number }], Message>(
    `select ${columns} from messages where seq in (
       select min(seq) from messages where state in ('stored', 'started', 'ended', 'posting') group by conversation)
     and (not_before is null or not_before <= @time or updated_at > @time or cancel_asked = 1) order by seq limit @limit`,
  );
  const openCount = db.prepare<[], { count: number }>(
    `select count(*) as count from messages where state in ('stored', 'started', 'ended', 'posting')`,
  );
  const dead = db.prepare<[], Message>(
    `select ${columns} from messages where state = 'dead' order by seq`,
  );
  const insertInboxItem = db.prepare<[InboxItem]>(
    `insert into inbox_items (seq, event_id, agent_id, text) values (@seq, @eventId, @agentId, @text)
     on conflict do nothing`,
  );
  const openInboxItems = db.prepare<[number], InboxItem>(
    `select seq, event_id as eventId, agent_id as agentId, text from inbox_items
     where written_at is null order by seq limit ?`,
  );
  const markWritten = db.prepare<[string, number]>(
    'update inbox_items set written_at = ? where seq = ?',
  );
  const session = db.prepare<[string], { sessionId: string }>(
    'select session_id as sessionId from sessions where conversation = ?',
  );
  const putSession = db.prepare<[string, string, string]>(
    'insert or replace into sessions (conversation, session_id, created_at) values (?, ?, ?)',
  );
  const forgetSession = db.prepare<[string]>('delete from sessions where conversation = ?');
  const removeDone = db.prepare<[{ time: string; limit: number }]>(
    `delete from messages where seq in (
       select seq from messages where updated_at < @time and state in ('posted', 'skipped') limit @limit)`,
  );
  const removeWritten = db.prepare<[{ time: string }]>(
    'delete from inbox_items where written_at < @time',
  );
  const identity = db.prepare<[], { id: string }>('select watcher_id as id from identity');
  const putIdentity = db.prepare<[string]>(
    'insert into identity (one, watcher_id) values (1, ?) on conflict do nothing',
  );
  return {
    watcherId(makeId) {
      const known = identity.get()?.id;
      if (known !== undefined) return known;
      const id = makeId();
      putIdentity.run(id);
      return id;
    },
    cursor: () => cursor.get()?.seq ?? null,
    moveCursor: (seq) => void moveCursor.run(seq),
    insertMessage: (message) => insertMessage.run(message).changes > 0,
    find: (eventId) => find.get(eventId) ?? null,
    heads: (time, limit) => heads.all({ time, limit }),
    openCount: () => openCount.get()?.count ?? 0,
    change(seq, change, at) {
      const names = Object.keys(change).filter(
        (name): name is keyof MessageChange => name in columnOf,
      );
      const sets = names.map((name) => `${columnOf[name]} = @${name}`);
      db.prepare(
        `update messages set ${[...sets, 'updated_at = @at'].join(', ')} where seq = @seq`,
      ).run({
        ...change,
        ...{ at, seq },
      });
    },
    dead: () => dead.all(),
    insertInboxItem: (item) => void insertInboxItem.run(item),
    openInboxItems: (limit) => openInboxItems.all(limit),
    markWritten: (seq, at) => void markWritten.run(at, seq),
    session: (conversation) => session.get(conversation)?.sessionId ?? null,
    putSession: (conversation, sessionId, at) => void putSession.run(conversation, sessionId, at),
    forgetSession: (conversation) => void forgetSession.run(conversation),
    removeDoneBefore(time, limit) {
      removeWritten.run({ time });
      return removeDone.run({ time, limit }).changes;
    },
  };
}
