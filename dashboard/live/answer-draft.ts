// The text of an answer while it is being written: pieces that say where they belong.
import type { EventView } from '#shared/vault-event-api.ts';

export type AnswerDraft = {
  /** A run that begins anew starts with nothing. */
  run: string;
  /** By the number of the message within the run. */
  messages: ReadonlyMap<number, string>;
};

export const emptyDraft: AnswerDraft = { run: '', messages: new Map() };

const lost = '…';

export function withDelta(
  draft: AnswerDraft,
  { content, metadata }: Pick<EventView, 'content' | 'metadata'>,
): AnswerDraft {
  const run = `${textOf(metadata['run_id'])}/${textOf(metadata['attempt'])}`;
  const messages = new Map(draft.run === run ? draft.messages : []);
  const superseded = metadata['superseded'];
  if (Array.isArray(superseded)) {
    for (const each of superseded) if (typeof each === 'number') messages.delete(each);
  }
  const message = countOf(metadata['message']) ?? 0;
  const earlier = messages.get(message) ?? '';
  const from = countOf(metadata['from']) ?? earlier.length;
  if (content !== '') messages.set(message, placed(earlier, from, content));
  return { run, messages };
}

export function draftText({ messages }: AnswerDraft): string {
  return [...messages]
    .toSorted(([one], [other]) => one - other)
    .map(([, text]) => text)
    .join('\n\n');
}

function placed(earlier: string, from: number, text: string): string {
  if (from <= earlier.length) return earlier.slice(0, from) + text;
  // As long as what is missing, so that the next piece finds its place.
  return earlier + lost.padEnd(from - earlier.length, ' ') + text;
}

function textOf(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

function countOf(value: unknown): number | null {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value <= 2 ** 24
    ? value
    : null;
}
