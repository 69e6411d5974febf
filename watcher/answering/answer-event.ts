// What is posted when a run has ended: its answer, or in a sentence why there is none.
import type { RunView } from '#shared/gateway-run-api.ts';
import type { EventRequest } from '#shared/vault-event-api.ts';

/** Of one event, in characters. */
const textMax = 200_000;

/** Without the fence, which may be another one when it is posted. */
export type AnswerEvent = Omit<EventRequest, 'fence'>;

/** `hasForgotten`: its conversation was begun anew. */
export function answerOf(eventId: string, run: RunView, hasForgotten: boolean): AnswerEvent {
  const { run_id: runId } = run;
  // A model may write half a character; the vault takes whole ones only.
  const text = textOf(run).toWellFormed();
  const isCut = text.length > textMax;
  const content = isCut ? `${cutAt(text, textMax)}\n\n[cut: ${text.length} characters]` : text;
  return {
    event_type: 'assistant_message',
    content,
    reply_to: eventId,
    metadata: {
      outcome: 'completed',
      run_id: runId,
      ...usageOf(run),
      ...(hasForgotten ? { session_reset: true } : {}),
      ...(isCut ? { is_cut: true } : {}),
    },
  };
}

/** The last word on a message that was not answered. */
export function noticeOf(
  eventId: string,
  failure: { outcome: string; sentence: string; runId: string | null; attempt: number },
): AnswerEvent {
  const { outcome, sentence, runId, attempt } = failure;
  return {
    event_type: 'system',
    content: sentence,
    reply_to: eventId,
    ends_claim: true,
    metadata: { outcome, attempt, ...(runId === null ? {} : { run_id: runId }) },
  };
}

export function sentenceOf(outcome: string, message: string): string {
  if (outcome === 'cancelled') return 'Stopped.';
  return `There is no answer: ${message.trim().replace(/[.!]?$/, '.')}`;
}

/** Not in the middle of a character. */
function cutAt(text: string, length: number): string {
  const isSplit = /[\uD800-\uDBFF]/.test(text.charAt(length - 1));
  return text.slice(0, isSplit ? length - 1 : length);
}

function textOf(run: RunView): string {
  const { result } = run;
  if (result === undefined) return '(the gateway keeps no text of answers: AUDIT_PROMPTS)';
  return typeof result === 'string'
    ? result
    : `\`\`\`json\n${JSON.stringify(result, null, 2)}\n\`\`\``;
}

function usageOf({
  model,
  usage,
  cost_usd,
  duration_ms,
  session_reset,
}: RunView): Record<string, unknown> {
  const facts = { model, usage, cost_usd, duration_ms, session_reset };
  return Object.fromEntries(
    Object.entries(facts).filter(([, value]) => value !== undefined && value !== null),
  );
}
