// The sessions table.
import type { Database } from '#shared/database.ts';

export type StoredSession = {
  sessionSeq: number;
  sessionId: string;
  appId: number;
  system: string | null;
  model: string;
  /** JSON. */
  jsonSchema: string | null;
  workspace: string | null;
  /** JSON. */
  metadata: string;
  conversationId: string;
  transcriptBytes: number;
  transcriptSha256: string | null;
  /** The conversation began anew, and no answer has said so yet. */
  isResetUntold: boolean;
  turns: number;
  createdAt: string;
  lastUsedAt: string;
  endedAt: string | null;
};

export type NewSession = Pick<
  StoredSession,
  | 'sessionId'
  | 'appId'
  | 'system'
  | 'model'
  | 'jsonSchema'
  | 'workspace'
  | 'metadata'
  | 'conversationId'
  | 'createdAt'
>;

export type TurnRecord = {
  sessionSeq: number;
  transcriptBytes: number;
  transcriptSha256: string | null;
  at: string;
};

export type SessionStore = {
  insert: (session: NewSession) => void;
  /** Ended ones too. */
  read: (sessionSeq: number) => StoredSession | null;
  /** One that has not ended. */
  find: (appId: number, sessionId: string) => StoredSession | null;
  /** Newest first, those older than `beforeSeq` that have not ended. */
  list: (appId: number, beforeSeq: number, limit: number) => StoredSession[];
  /** Of an app, that have not ended. */
  count: (appId: number) => number;
  openOf: (appId: number) => StoredSession[];
  /** Those that have a workspace and have not ended, oldest first. */
  inWorkspaces: () => StoredSession[];
  /** A turn was answered, which also told of a reset. */
  recordTurn: (turn: TurnRecord) => void;
  /** A turn was not answered well. */
  touch: (sessionSeq: number, at: string) => void;
  /** What was said is lost. */
  startOver: (sessionSeq: number, conversationId: string) => void;
  /** False when it had ended. */
  end: (sessionSeq: number, at: string) => boolean;
  /** Not used since then and without a run that has not ended; at most `limit`. */
  idleSince: (lastUsedAt: string, limit: number) => StoredSession[];
  /** Ids of all that have not ended. */
  openIds: () => string[];
  /** Also of one that has ended. */
  seqOf: (sessionId: string) => number | null;
  isOpen: (sessionId: string) => boolean;
  /** At most `limit` that ended before then and are named by no run any more; gives how many went. */
  removeEndedBefore: (endedAt: string, limit: number) => number;
};

type SessionRow = Omit<StoredSession, 'isResetUntold'> & { isResetUntold: number };

const columns = `session_seq as sessionSeq, session_id as sessionId, app_id as appId, system, model,
  json_schema as jsonSchema, workspace, metadata, conversation_id as conversationId,
  transcript_bytes as transcriptBytes, transcript_sha256 as transcriptSha256,
  reset_untold as isResetUntold, turns, created_at as createdAt, last_used_at as lastUsedAt,
  ended_at as endedAt`;

export function createSessionStore(db: Database): SessionStore {
  return { ...lookups(db), ...changes(db) };
}

function lookups(db: Database) {
  const read = db.prepare<[number], SessionRow>(
    `select ${columns} from sessions where session_seq = ?`,
  );
  const find = db.prepare<[string, number], SessionRow>(
    `select ${columns} from sessions where session_id = ? and app_id = ? and ended_at is null`,
  );
  const list = db.prepare<[number, number, number], SessionRow>(
    `select ${columns} from sessions
     where app_id = ? and session_seq < ? and ended_at is null order by session_seq desc limit ?`,
  );
  const count = db.prepare<[number], { sessions: number }>(
    'select count(*) as sessions from sessions where app_id = ? and ended_at is null',
  );
  const idleSince = db.prepare<[string, number], SessionRow>(
    `select ${columns} from sessions s
     where last_used_at < ? and ended_at is null and not exists
       (select 1 from runs r where r.session_seq = s.session_seq and r.state <> 'ended')
     limit ?`,
  );
  const inWorkspaces = db.prepare<[], SessionRow>(
    `select ${columns} from sessions
     where workspace is not null and ended_at is null order by session_seq`,
  );
  const openIds = db.prepare<[], { sessionId: string }>(
    'select session_id as sessionId from sessions where ended_at is null',
  );
  const place = db.prepare<[string], { sessionSeq: number; endedAt: string | null }>(
    'select session_seq as sessionSeq, ended_at as endedAt from sessions where session_id = ?',
  );
  const one = (row: SessionRow | undefined): StoredSession | null =>
    row === undefined ? null : toSession(row);
  return {
    read: (sessionSeq: number) => one(read.get(sessionSeq)),
    find: (appId: number, sessionId: string) => one(find.get(sessionId, appId)),
    list: (appId: number, beforeSeq: number, limit: number) =>
      list.all(appId, beforeSeq, limit).map(toSession),
    count: (appId: number) => count.get(appId)?.sessions ?? 0,
    openOf: (appId: number) => list.all(appId, Number.MAX_SAFE_INTEGER, -1).map(toSession),
    inWorkspaces: () => inWorkspaces.all().map(toSession),
    idleSince: (at: string, limit: number) => idleSince.all(at, limit).map(toSession),
    seqOf: (sessionId: string) => place.get(sessionId)?.sessionSeq ?? null,
    isOpen: (sessionId: string) => place.get(sessionId)?.endedAt === null,
    openIds: () => openIds.all().map(({ sessionId }) => sessionId),
  };
}

function changes(db: Database) {
  const insert = db.prepare<[NewSession]>(
    `insert into sessions (session_id, app_id, system, model, json_schema, workspace, metadata,
       conversation_id, created_at, last_used_at)
     values (@sessionId, @appId, @system, @model, @jsonSchema, @workspace, @metadata,
       @conversationId, @createdAt, @createdAt)`,
  );
  const recordTurn = db.prepare<[TurnRecord]>(
    `update sessions set turns = turns + 1, transcript_bytes = @transcriptBytes,
       transcript_sha256 = @transcriptSha256, reset_untold = 0, last_used_at = @at
     where session_seq = @sessionSeq`,
  );
  const touch = db.prepare<[string, number]>(
    'update sessions set last_used_at = ? where session_seq = ?',
  );
  const startOver = db.prepare<[string, number]>(
    `update sessions set conversation_id = ?, transcript_bytes = 0, transcript_sha256 = null,
       reset_untold = 1
     where session_seq = ?`,
  );
  const end = db.prepare<[string, number]>(
    'update sessions set ended_at = ? where session_seq = ? and ended_at is null',
  );
  const removeEndedBefore = db.prepare<[string, number]>(
    `delete from sessions where session_seq in
       (select session_seq from sessions s where ended_at < ? and not exists
         (select 1 from runs r where r.session_seq = s.session_seq) limit ?)`,
  );
  return {
    insert: (session: NewSession) => void insert.run(session),
    recordTurn: (turn: TurnRecord) => void recordTurn.run(turn),
    touch: (sessionSeq: number, at: string) => void touch.run(at, sessionSeq),
    startOver: (sessionSeq: number, conversationId: string) =>
      void startOver.run(conversationId, sessionSeq),
    end: (sessionSeq: number, at: string) => end.run(at, sessionSeq).changes === 1,
    removeEndedBefore: (endedAt: string, limit: number) =>
      removeEndedBefore.run(endedAt, limit).changes,
  };
}

function toSession(row: SessionRow): StoredSession {
  return { ...row, isResetUntold: row.isResetUntold === 1 };
}
