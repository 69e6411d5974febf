// The events of one run on their way into the database: text in pieces of 100 ms, everything in order, nothing waited for.
import type { Clock } from '#shared/clock.ts';
import type { RunEventDraft } from '#shared/gateway-event-api.ts';

export type RunEventJournal = {
  add: (drafts: readonly RunEventDraft[]) => void;
  /** What is still to be written, for whoever writes the end of the run. Nothing can be added afterwards. */
  close: () => RunEventDraft[];
};

export type RunEventJournalParts = {
  /** In one transaction. */
  write: (drafts: readonly RunEventDraft[]) => Promise<void>;
  /** Somebody reads: what begins after a pause is shown at once. */
  isWatched: () => boolean;
  onFailure: (err: unknown) => void;
  clock: Clock;
};

const intervalMs = 100;
const deltaCharsMax = 32_768;
/** More than any model answers: a run that writes on and on must not fill the database. Its messages still come whole. */
const deltaCharsOfRunMax = 8 * 2 ** 20;

export function createRunEventJournal(parts: RunEventJournalParts): RunEventJournal {
  const { write, isWatched, onFailure, clock } = parts;
  const closed = new AbortController();
  let pending: RunEventDraft[] = [];
  let deltaChars = 0;
  let nextFlushAt = 0;
  let loop: Promise<void> | null = null;

  const push = (draft: RunEventDraft): void => {
    if (draft.type === 'message.delta') {
      deltaChars += draft.data.text.length;
      if (deltaChars > deltaCharsOfRunMax) return;
      const last = pending.at(-1);
      if (last?.type === 'message.delta' && mayJoin(last.data, draft.data)) {
        last.data.text += draft.data.text;
        return;
      }
      // Its own object, since more text is added to it.
      pending.push({ type: draft.type, data: { ...draft.data } });
      return;
    }
    pending.push(draft);
  };
  const flushAll = async (): Promise<void> => {
    while (pending.length > 0 && !closed.signal.aborted) {
      const waitMs = nextFlushAt - clock.monotonicMs();
      if (waitMs > 0) await clock.sleep(waitMs, closed.signal);
      nextFlushAt = clock.monotonicMs() + intervalMs;
      const drafts = pending;
      pending = [];
      await write(drafts).catch(onFailure);
    }
  };
  return {
    add(drafts) {
      if (closed.signal.aborted) return;
      for (const draft of drafts) push(draft);
      if (pending.length === 0 || loop !== null) return;
      if (!isWatched()) nextFlushAt = Math.max(nextFlushAt, clock.monotonicMs() + intervalMs);
      loop = flushAll()
        // Closed while it slept.
        .catch(() => {})
        .finally(() => (loop = null));
    },
    close() {
      closed.abort();
      const rest = pending;
      pending = [];
      return rest;
    },
  };
}

type Delta = Extract<RunEventDraft, { type: 'message.delta' }>['data'];

function mayJoin(last: Delta, next: Delta): boolean {
  return last.message === next.message && last.text.length < deltaCharsMax;
}
