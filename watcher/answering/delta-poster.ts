// Passes the text of an answer on while it is written, at a rate that a page can follow. What gets lost of it is no loss: the whole
// answer comes at the end.
import type { Clock } from '#shared/clock.ts';
import type { VaultClient } from '#shared/vault-client.ts';

export type DeltaPoster = AsyncDisposable & {
  add: (message: number, text: string) => void;
  /** The text of these messages does not count: it comes again. */
  supersede: (messages: readonly number[]) => void;
};

type Piece = { message: number; from: number; text: string };

const apartMs = 300;

export function createDeltaPoster(
  { vault, clock }: { vault: Pick<VaultClient, 'post'>; clock: Clock },
  answer: { agentId: string; eventId: string; fence: number; runId: string; attempt: number },
): DeltaPoster {
  const over = new AbortController();
  const written = new Map<number, number>();
  let waiting: Piece[] = [];
  let superseded: number[] = [];
  let pump: Promise<void> | null = null;

  const send = async (content: string, more: Readonly<Record<string, unknown>>): Promise<void> => {
    const { agentId, eventId, fence, runId, attempt } = answer;
    const metadata = { run_id: runId, attempt, ...more };
    const event = { event_type: 'assistant_delta', content, reply_to: eventId, fence, metadata };
    await vault.post(agentId, event, { signal: over.signal }).catch(() => {});
  };
  const drain = async (): Promise<void> => {
    while (!over.signal.aborted && (waiting.length > 0 || superseded.length > 0)) {
      await clock.sleep(apartMs, over.signal).catch(() => {});
      if (over.signal.aborted) return;
      const [gone, pieces] = [superseded, waiting];
      [superseded, waiting] = [[], []];
      if (gone.length > 0) await send('', { superseded: gone });
      for (const { message, from, text } of pieces) await send(text, { message, from });
    }
  };
  const wake = (): void => {
    pump ??= drain().finally(() => (pump = null));
  };
  return {
    add(message, text) {
      const from = written.get(message) ?? 0;
      written.set(message, from + text.length);
      const last = waiting.at(-1);
      if (last?.message === message) last.text += text;
      else waiting.push({ message, from, text });
      wake();
    },
    supersede(messages) {
      if (messages.length === 0) return;
      superseded.push(...messages);
      for (const message of messages) written.delete(message);
      waiting = waiting.filter(({ message }) => !messages.includes(message));
      wake();
    },
    async [Symbol.asyncDispose]() {
      over.abort();
      await pump;
    },
  };
}
