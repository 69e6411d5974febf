// What the audit row of a run will say: begun when the run is accepted, finished when it has ended.
import { createHash } from 'node:crypto';

import type { JsonValue } from '#shared/json-value.ts';

import type { AuditEntry } from '../audit/audit-log.ts';
import type { RunEnd, RunFacts } from './run-record.ts';

/** How much of a prompt is kept. */
export type PromptPolicy = 'full' | 'hash' | 'none';

export type AuditDraft = {
  app: string;
  address: string;
  prompt: string | null;
  details: Record<string, JsonValue>;
};

export function draftOf(run: RunFacts, prompts: PromptPolicy): AuditDraft {
  const hash =
    prompts === 'hash'
      ? { prompt_sha256: createHash('sha256').update(run.prompt).digest('hex') }
      : {};
  return {
    app: run.appName,
    address: run.address,
    prompt: prompts === 'full' ? run.prompt : null,
    details: { ...run.details, ...hash },
  };
}

export function auditEntryOf(
  runId: string,
  draft: AuditDraft,
  { outcome, survivors, details, stderrTail = '' }: RunEnd,
  prompts: PromptPolicy,
): AuditEntry {
  const quoted = stderrTail === '' || prompts !== 'full' ? {} : { stderr_tail: stderrTail };
  return {
    action: 'run',
    app: draft.app,
    address: draft.address,
    outcome,
    runId,
    prompt: draft.prompt,
    details: { ...draft.details, ...details, ...quoted, survivors },
  };
}
