// A run in the database: written down when it is accepted, closed together with its audit row.
import { isoTime } from '#shared/clock.ts';
import type { Clock } from '#shared/clock.ts';
import type { DatabaseWriter } from '#shared/database-writer.ts';
import type { JsonValue } from '#shared/json-value.ts';

import type { AuditLog } from '../audit/audit-log.ts';
import { auditEntryOf, draftOf } from './audit-draft.ts';
import type { AuditDraft, PromptPolicy } from './audit-draft.ts';
import type { Outcome } from './outcome.ts';
import type { RunStore } from './run-store.ts';

export type RunFacts = {
  runId: string;
  appId: number;
  appName: string;
  address: string;
  prompt: string;
  details: Readonly<Record<string, JsonValue>>;
};

export type RunEnd = {
  outcome: Outcome;
  survivors: number | null;
  details: Readonly<Record<string, JsonValue>>;
  /** Kept where the prompt is kept, since it may quote it. */
  stderrTail?: string;
};

export type RunRecords = {
  /** @param startsAtOnce takes the step of `start` as well: a transaction costs a wait for the disk. */
  accept: (run: RunFacts, startsAtOnce: boolean) => Promise<void>;
  start: (run: RunFacts) => Promise<void>;
  end: (run: RunFacts, end: RunEnd) => Promise<void>;
  /** A run that was over before it began: both steps at once. */
  refuse: (run: RunFacts, end: RunEnd) => Promise<void>;
  /** Closes what a crash left open, as `interrupted`, and gives the ids of those runs. */
  closeInterrupted: (survivorsOf: (runId: string) => number) => Promise<string[]>;
};

export function createRunRecords(
  store: RunStore,
  audit: AuditLog,
  writer: DatabaseWriter,
  options: { prompts: PromptPolicy; clock: Clock },
): RunRecords {
  const { prompts, clock } = options;
  const now = (): string => isoTime(clock.now());
  const drafts = new Map<string, AuditDraft>();

  const insert = (run: RunFacts, draft: AuditDraft): void =>
    store.insert({
      runId: run.runId,
      appId: run.appId,
      auditDraft: JSON.stringify(draft),
      createdAt: now(),
    });
  const close = (runId: string, draft: AuditDraft, end: RunEnd): void => {
    store.end(runId, { outcome: end.outcome, survivors: end.survivors, endedAt: now() });
    audit.append(auditEntryOf(runId, draft, end, prompts));
  };
  return {
    async accept(run, startsAtOnce) {
      const draft = draftOf(run, prompts);
      await writer.write(() => {
        insert(run, draft);
        if (startsAtOnce) store.start(run.runId, now());
      });
      drafts.set(run.runId, draft);
    },
    start: (run) => writer.write(() => store.start(run.runId, now())),
    async end(run, end) {
      const draft = drafts.get(run.runId) ?? draftOf(run, prompts);
      drafts.delete(run.runId);
      await writer.write(() => close(run.runId, draft, end));
    },
    async refuse(run, end) {
      const draft = draftOf(run, prompts);
      await writer.write(() => {
        insert(run, draft);
        close(run.runId, draft, end);
      });
    },
    closeInterrupted: (survivorsOf) =>
      writer.write(() =>
        store.open().map(({ runId, auditDraft }) => {
          const draft: AuditDraft = JSON.parse(auditDraft);
          close(runId, draft, {
            outcome: 'interrupted',
            survivors: survivorsOf(runId),
            details: { message: 'the gateway stopped before the run was done' },
          });
          return runId;
        }),
      ),
  };
}
