// Clients that post one event after the other and repeat each under its key until it is acknowledged, whatever becomes of the vault.
import { setTimeout as sleep } from 'node:timers/promises';

import { createCaller } from './vault-world.ts';
import type { VaultAnswer } from './vault-world.ts';

export type PostedEvent = { key: string; agentId: string; seq: number; eventId: string };

export type Refusal = {
  status: number;
  code: string | null;
  retryAfter: string | null;
  tookMs: number;
};

export type Writers = AsyncDisposable & {
  /** In the order of their acknowledgement. */
  acknowledged: PostedEvent[];
  /** Every answer but a 201; those who got none are not among them. */
  refusals: Refusal[];
  /** From sending to the answer or to the end of the connection, of the slowest. */
  slowestMs: () => number;
  /** Resolves when each has what it posted last acknowledged. */
  stop: () => Promise<void>;
};

export type WritersOptions = {
  /** It may move. */
  url: () => string;
  token: string;
  /** Each writer keeps to one of them. */
  agentIds: readonly string[];
  count: number;
};

const repeatAfterMs = 50;

export function startWriters(options: WritersOptions): Writers {
  const { token, agentIds, count } = options;
  const acknowledged: PostedEvent[] = [];
  const refusals: Refusal[] = [];
  let slowestMs = 0;
  const stopping = new AbortController();
  const abandoned = new AbortController();

  const postOnce = async (agentId: string, key: string): Promise<VaultAnswer | null> => {
    const startedAt = performance.now();
    const call = createCaller(`${options.url()}/api/v1`);
    const answer = await call(token, `/agents/${agentId}/events`, {
      body: { event_type: 'user_message', content: `event ${key}` },
      headers: { 'idempotency-key': key },
      signal: abandoned.signal,
    }).catch(() => null);
    const tookMs = performance.now() - startedAt;
    slowestMs = Math.max(slowestMs, tookMs);
    if (answer !== null && answer.status !== 201) {
      const code = answer.body?.error?.code ?? null;
      const retryAfter = answer.headers.get('retry-after');
      refusals.push({ status: answer.status, code, retryAfter, tookMs });
    }
    return answer;
  };
  const postUntilAcknowledged = async (agentId: string, key: string): Promise<void> => {
    while (!abandoned.signal.aborted) {
      const answer = await postOnce(agentId, key);
      if (answer?.status === 201) {
        const { seq, event_id: eventId } = answer.body.data;
        acknowledged.push({ key, agentId, seq, eventId });
        return;
      }
      await sleep(repeatAfterMs);
    }
  };
  const write = async (writer: number): Promise<void> => {
    const agentId = agentIds[writer % agentIds.length] ?? '';
    for (let number = 1; !stopping.signal.aborted; number += 1) {
      await postUntilAcknowledged(agentId, `w${writer}-${number}`);
    }
  };
  const done = Promise.all(Array.from({ length: count }, (_, writer) => write(writer)));
  return {
    acknowledged,
    refusals,
    slowestMs: () => slowestMs,
    async stop() {
      stopping.abort();
      await done;
    },
    async [Symbol.asyncDispose]() {
      stopping.abort();
      abandoned.abort();
      await done;
    },
  };
}
