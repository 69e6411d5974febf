// The run_events table: numbered from 1 without a gap, each run on its own.
import type { Database } from '#shared/database.ts';

export type StoredRunEvent = { seq: number; type: string; /** JSON. */ data: string; at: string };

export type RunEventStore = {
  /** Inside a transaction: takes the next number of its run. */
  append: (runSeq: number, type: string, data: string, at: string) => void;
  /** The same for a run that has no event yet. */
  appendFirst: (runSeq: number, type: string, data: string, at: string) => void;
  /** In order, those after `seq`; at most so many, and no more once they are `bytesMax` together. */
  after: (runSeq: number, seq: number, limit: number, bytesMax: number) => StoredRunEvent[];
  /** 0 where there is none. */
  lastSeq: (runSeq: number) => number;
};

export function createRunEventStore(db: Database): RunEventStore {
  // Two statements: one that reads the table it writes costs SQLite more than both.
  const insert = db.prepare<[number, number, string, string, string]>(
    'insert into run_events (run_seq, event_seq, type, data, at) values (?, ?, ?, ?, ?)',
  );
  const lastSeq = db.prepare<[number], { seq: number | null }>(
    'select max(event_seq) as seq from run_events where run_seq = ?',
  );
  const after = db.prepare<[number, number, number], StoredRunEvent>(
    `select event_seq as seq, type, data, at from run_events
     where run_seq = ? and event_seq > ? order by event_seq limit ?`,
  );
  const last = (runSeq: number): number => lastSeq.get(runSeq)?.seq ?? 0;
  return {
    append: (runSeq, type, data, at) => void insert.run(runSeq, last(runSeq) + 1, type, data, at),
    appendFirst: (runSeq, type, data, at) => void insert.run(runSeq, 1, type, data, at),
    lastSeq: last,
    after(runSeq, seq, limit, bytesMax) {
      const events: StoredRunEvent[] = [];
      let bytes = 0;
      // Not all at once: a hundred of them may be far more than a reader takes.
      for (const event of after.iterate(runSeq, seq, limit)) {
        events.push(event);
        bytes += event.data.length;
        if (bytes >= bytesMax) break;
      }
      return events;
    },
  };
}
