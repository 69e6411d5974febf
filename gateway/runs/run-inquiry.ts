// Questions about runs: one, a page of them, the end of one. An app asks about its own only.
import type { RunItem, RunView } from '#shared/gateway-run-api.ts';

import type { RunQueue } from '../queue/run-queue.ts';
import type { RunEndings } from './run-endings.ts';
import type { RunFilter, RunStore, StoredAnswer, StoredRun } from './run-store.ts';
import { itemOf, viewOf } from './run-view.ts';

export type RunPage<T> = { items: T[]; next: string | null };

export type RunInquiry = {
  /** Null for one that is not there, or is another app's. */
  find: (appId: number, runId: string) => StoredRun | null;
  /** Of whatever app. */
  findAny: (runId: string) => StoredRun | null;
  view: (run: StoredRun) => RunView;
  answerOf: (runSeq: number) => StoredAnswer | null;
  /** Newest first. */
  list: <T>(
    filter: RunFilter,
    page: { after?: string | undefined; limit: number },
    show: (item: RunItem, run: StoredRun) => T,
  ) => RunPage<T>;
  /** Resolves when the run has ended, the time is over, or the signal aborts. */
  untilEnded: (runId: string, waitMs: number, signal: AbortSignal) => Promise<void>;
};

export function createRunInquiry(parts: {
  store: RunStore;
  queue: Pick<RunQueue, 'outlookOf'>;
  endings: RunEndings;
  sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}): RunInquiry {
  const { store, queue, endings } = parts;
  const outlookOf = (run: StoredRun) =>
    run.state === 'queued'
      ? (queue.outlookOf(run.runId) ?? { position: 0, estimateSecs: 0, waitsUntil: null })
      : null;

  /** The place of a run in a list; 0, which is behind the oldest, for one that is not there or another app's. */
  const seqOf = (runId: string, { appId }: RunFilter): number => {
    const run = store.find(runId);
    return run === null || (appId !== undefined && run.appId !== appId) ? 0 : run.runSeq;
  };

  return {
    find(appId, runId) {
      const run = store.find(runId);
      return run?.appId === appId ? run : null;
    },
    findAny: (runId) => store.find(runId),
    view: (run) =>
      viewOf(run, outlookOf(run), run.state === 'ended' ? store.readAnswer(run.runSeq) : null),
    answerOf: (runSeq) => store.readAnswer(runSeq),
    list(filter, { after, limit }, show) {
      const before = after === undefined ? Number.MAX_SAFE_INTEGER : seqOf(after, filter);
      // One more than asked for tells whether there is a next page.
      const found = store.list(filter, before, limit + 1);
      const page = found.slice(0, limit);
      return {
        items: page.map((run) => show(itemOf(run, outlookOf(run)), run)),
        next: found.length > limit ? (page.at(-1)?.runId ?? null) : null,
      };
    },
    async untilEnded(runId, waitMs, signal) {
      const enough = new AbortController();
      const either = AbortSignal.any([signal, enough.signal]);
      parts.sleep(waitMs, either).then(
        () => enough.abort(),
        () => {},
      );
      await endings.wait(runId, either);
      enough.abort();
    },
  };
}
