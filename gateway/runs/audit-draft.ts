// What the audit row of a run will say: begun when the run is accepted, finished when it has ended.
import { createHash } from 'node:crypto';

import type { JsonValue } from '#shared/json-value.ts';

import type { AuditEntry } from '../audit/audit-log.ts';
import type { Outcome } from './outcome.ts';

/** How much of a prompt is kept. */
export type PromptPolicy = 'full' | 'hash' | 'none';

export type AuditDraft = {
  app: string;
  address: string;
  requestId: string;
  prompts: PromptPolicy;
  /** Null where it is not kept, or where the request itself is. */
  prompt: string | null;
  details: Record<string, JsonValue>;
};

export type AuditedRun = {
  appName: string;
  address: string;
  requestId: string;
  prompt: string;
  details: Readonly<Record<string, JsonValue>>;
  /** Its request is stored until it has ended. */
  isStored: boolean;
};

export type AuditedEnd = {
  outcome: Outcome;
  survivors: number | null;
  details: Readonly<Record<string, JsonValue>>;
  /** Kept where the prompt is kept, since it may quote it. */
  stderrTail?: string;
};

export function draftOf(run: AuditedRun, prompts: PromptPolicy): AuditDraft {
  const hash =
    prompts === 'hash'
      ? { prompt_sha256: createHash('sha256').update(run.prompt).digest('hex') }
      : {};
  return {
    app: run.appName,
    address: run.address,
    requestId: run.requestId,
    prompts,
    prompt: prompts === 'full' && !run.isStored ? run.prompt : null,
    details: { ...run.details, ...hash },
  };
}

/** Drafts of the first version had no policy of their own and no request id beside the details. */
export function readDraft(text: string): AuditDraft {
  const draft: Partial<AuditDraft> & Pick<AuditDraft, 'app' | 'address' | 'details'> =
    JSON.parse(text);
  const { request_id: oldRequestId } = draft.details;
  const requestId = draft.requestId ?? (typeof oldRequestId === 'string' ? oldRequestId : '');
  const prompt = draft.prompt ?? null;
  return { prompts: prompt === null ? 'none' : 'full', ...draft, prompt, requestId };
}

/** @param storedPrompt of a run whose request was stored. */
export function auditEntryOf(
  runId: string,
  draft: AuditDraft,
  { outcome, survivors, details, stderrTail = '' }: AuditedEnd,
  storedPrompt: string | null,
): AuditEntry {
  const isFull = draft.prompts === 'full';
  const quoted = stderrTail === '' || !isFull ? {} : { stderr_tail: stderrTail };
  return {
    action: 'run',
    app: draft.app,
    address: draft.address,
    outcome,
    runId,
    prompt: isFull ? (draft.prompt ?? storedPrompt) : null,
    details: { ...draft.details, ...details, ...quoted, survivors },
  };
}
