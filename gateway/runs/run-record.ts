// A run in the database: every move of it with its event, in one transaction, and with its audit row when it ends.
import { isoTime } from '#shared/clock.ts';
import type { Clock } from '#shared/clock.ts';
import type { DatabaseWriter } from '#shared/database-writer.ts';
import type { RunEventDraft } from '#shared/gateway-event-api.ts';
import type { JsonValue } from '#shared/json-value.ts';

import type { AuditLog } from '../audit/audit-log.ts';
import type { Checkpoint } from '../checkpoint.ts';
import { messagesBegun } from '../events/begun-messages.ts';
import type { RunEventStore } from '../events/run-event-store.ts';
import type { IdempotencyKeys, KeyedAnswer } from '../idempotency/idempotency-keys.ts';
import type { QueueOutlook } from '../queue/run-queue.ts';
import { auditEntryOf, draftOf, readDraft } from './audit-draft.ts';
import type { AuditDraft, AuditedEnd, PromptPolicy } from './audit-draft.ts';
import type { RunStore, StoredAnswer, StoredRequest, StoredRun } from './run-store.ts';
import { outlookFields } from './run-view.ts';

/** A run as it is accepted. */
export type RunFacts = {
  runId: string;
  appId: number;
  appName: string;
  address: string;
  requestId: string;
  prompt: string;
  /** For the audit row. */
  details: Readonly<Record<string, JsonValue>>;
  isDetached: boolean;
  onInterrupt: 'fail' | 'retry';
  sessionSeq: number | null;
  requestedModel: string;
  metadata: Readonly<Record<string, string>>;
  traceparent: string | null;
  /** Of a run that may outlive its client: what it needs to be started without it. */
  stored: { request: StoredRequest; fileTokens: readonly string[] } | null;
};

export type RunKey = { runSeq: number; runId: string };

export type Spent = {
  durationMs: number | null;
  model: string | null;
  inputTokens: number | null;
  outputTokens: number | null;
  costMicroUsd: number | null;
};

export type RunEnd = AuditedEnd & {
  message: string | null;
  spent: Spent;
  answer: StoredAnswer;
  /** Events that were not written yet. */
  events: readonly RunEventDraft[];
};

export type Acceptance = {
  outlook: QueueOutlook;
  /** It has its turn: the move to `starting` is made as well, since a transaction costs a wait for the disk. */
  startsAtOnce: boolean;
  keyed: KeyedAnswer | null;
};

export type PutBackReason = 'interrupted' | 'rate_limited';

export type RunRecords = {
  /** Gives the number of its row. */
  accept: (run: RunFacts, acceptance: Acceptance) => Promise<number>;
  claim: (run: RunKey) => Promise<void>;
  begin: (run: RunKey, begun: { pid: number | null; queueMs: number }) => Promise<void>;
  addEvents: (run: RunKey, events: readonly RunEventDraft[]) => Promise<void>;
  /** It waits once more. Its readers are told why, and that the text they have does not count. */
  putBack: (
    run: RunKey,
    outlook: QueueOutlook,
    events: readonly RunEventDraft[],
    reason?: PutBackReason,
  ) => Promise<void>;
  end: (run: RunKey, end: RunEnd) => Promise<void>;
  /** A run that was over before it began: accepted and ended at once. */
  refuse: (run: RunFacts, end: RunEnd) => Promise<void>;
  /** `byAdminAt`: the address of the operator, who is audited; null for the app itself. */
  askCancel: (run: StoredRun, byAdminAt: string | null) => Promise<void>;
};

export type RunRecordParts = {
  store: RunStore;
  events: RunEventStore;
  audit: AuditLog;
  keys: IdempotencyKeys;
  writer: DatabaseWriter;
  prompts: PromptPolicy;
  /** Called after the commit of whatever has a new event. */
  announce: (runSeq: number) => void;
  checkpoint: Checkpoint;
  clock: Clock;
};

export function createRunRecords(parts: RunRecordParts): RunRecords {
  const { store, events, audit, keys, writer, prompts, announce, checkpoint, clock } = parts;
  const now = (): string => isoTime(clock.now());
  const append = (runSeq: number, { type, data }: RunEventDraft): void =>
    events.append(runSeq, type, JSON.stringify(data), now());

  const insert = (run: RunFacts, draft: AuditDraft): number => {
    const { stored, metadata, ...row } = run;
    const runSeq = store.insert({
      ...row,
      metadata: JSON.stringify(metadata),
      auditDraft: JSON.stringify(draft),
      createdAt: now(),
    });
    if (stored !== null) {
      store.insertRequest(runSeq, stored.request);
      store.pinFiles(runSeq, stored.fileTokens);
    }
    return runSeq;
  };
  const close = ({ runSeq, runId }: RunKey, draft: AuditDraft, end: RunEnd): void => {
    const { outcome, message, survivors, spent, answer } = end;
    for (const event of end.events) append(runSeq, event);
    const type = outcome === 'completed' ? 'run.completed' : 'run.failed';
    events.append(runSeq, type, answer.body, now());
    const prompt = draft.prompts === 'full' ? (store.readRequest(runSeq)?.prompt ?? null) : null;
    store.end(runSeq, { outcome, message, survivors, ...spent, endedAt: now() });
    store.insertAnswer(runSeq, answer);
    audit.append(auditEntryOf(runId, draft, end, prompt));
  };
  /** A move with its events, told to whoever reads them. */
  const move = async (run: RunKey, work: () => void): Promise<void> => {
    await writer.write(work);
    announce(run.runSeq);
  };

  return {
    async accept(run, { outlook, startsAtOnce, keyed }) {
      const draft = draftOf({ ...run, isStored: run.stored !== null }, prompts);
      const runSeq = await writer.write(() => {
        const seq = insert(run, draft);
        const { type, data } = queuedEvent({ ...run, attempt: 0 }, outlook);
        events.appendFirst(seq, type, JSON.stringify(data), now());
        if (keyed !== null) keys.keep(keyed, seq);
        if (startsAtOnce) store.claim(seq);
        checkpoint('audit_begun');
        return seq;
      });
      checkpoint('accepted');
      return runSeq;
    },
    claim: (run) => writer.write(() => store.claim(run.runSeq)),
    begin: (run, { pid, queueMs }) =>
      move(run, () => {
        store.begin(run.runSeq, now(), pid);
        const { attempt = 1, traceparent = null } = store.find(run.runId) ?? {};
        const data = { run_id: run.runId, attempt, queue_ms: queueMs, ...traced({ traceparent }) };
        append(run.runSeq, { type: 'run.started', data });
      }),
    addEvents: (run, drafts) =>
      move(run, () => {
        for (const draft of drafts) append(run.runSeq, draft);
      }),
    putBack: (run, outlook, drafts, reason = 'interrupted') =>
      move(run, () => {
        for (const draft of drafts) append(run.runSeq, draft);
        const { state, attempt = 0, traceparent = null } = store.find(run.runId) ?? {};
        if (state === 'running') {
          append(run.runSeq, triedAgain(reason, messagesBegun(run.runSeq, events)));
        }
        store.putBack(run.runSeq);
        append(run.runSeq, queuedEvent({ runId: run.runId, attempt, traceparent }, outlook));
      }),
    async end(run, end) {
      await move(run, () => {
        const draft = store.auditDraftOf(run.runSeq);
        if (draft === null) throw new Error(`run ${run.runId} has ended already`);
        close(run, readDraft(draft), end);
      });
      checkpoint('finalised');
    },
    async refuse(run, end) {
      // It is never started, so nothing of it has to be stored.
      const draft = draftOf({ ...run, isStored: false }, prompts);
      await writer.write(() => {
        const runSeq = insert({ ...run, stored: null }, draft);
        close({ runSeq, runId: run.runId }, draft, end);
      });
    },
    askCancel: ({ runSeq, runId, appName }, byAdminAt) =>
      writer.write(() => {
        store.askCancel(runSeq, now());
        if (byAdminAt === null) return;
        const details = { run_id: runId };
        audit.append({ action: 'run.cancelled', app: appName, address: byAdminAt, details });
      }),
  };
}

function queuedEvent(
  run: { runId: string; attempt: number; traceparent: string | null },
  outlook: QueueOutlook,
): RunEventDraft {
  const { runId, attempt } = run;
  const place = outlookFields(outlook);
  return { type: 'run.queued', data: { run_id: runId, ...place, attempt, ...traced(run) } };
}

function triedAgain(reason: PutBackReason, superseded: number[]): RunEventDraft {
  const data = { reason, status: null, delay_ms: 0, superseded };
  return { type: 'retry', data };
}

function traced({ traceparent }: { traceparent: string | null }) {
  return traceparent === null ? {} : { traceparent };
}
