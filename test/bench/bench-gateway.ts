// A gateway in a process of its own, with an app, for measuring runs over HTTP.
import { request } from 'undici';

import { startGatewayProcess } from '../support/gateway-process.ts';
import type { GatewayProcess } from '../support/gateway-process.ts';
import { median } from './statistics.ts';

export type BenchGateway = AsyncDisposable & {
  process: GatewayProcess;
  token: string;
  /** Milliseconds from sending to the whole answer; throws unless the run completed. */
  run: (body: Record<string, unknown>) => Promise<number>;
  /** Medians over the audit rows of the latest runs. */
  phases: (httpSamples: readonly number[]) => Promise<string[]>;
};

export async function startBenchGateway(env: Record<string, string>): Promise<BenchGateway> {
  const gateway = await startGatewayProcess({ env: { SHUTDOWN_GRACE_SECS: '1', ...env } });
  const token = await gateway.mint('bench');
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  return {
    process: gateway,
    token,
    async run(body) {
      const startedAt = performance.now();
      const answer = await request(`${gateway.url}/run`, {
        method: 'POST',
        headers,
        body: JSON.stringify(body),
      });
      const text = await answer.body.text();
      const tookMs = performance.now() - startedAt;
      if (answer.statusCode !== 200) throw new Error(`a run failed: ${text}`);
      return tookMs;
    },
    async phases(httpSamples) {
      const limit = Math.min(200, httpSamples.length);
      const rows = await gateway.audit(`?action=run&limit=${limit}`);
      const typical = (name: string): number =>
        median(rows.map((row) => Number(row.details[name] ?? 0)));
      const httpMs = median(httpSamples);
      const durationMs = typical('duration_ms');
      return [
        `HTTP ${httpMs.toFixed(1)} ms = queue ${typical('queue_ms')} + process ${durationMs} (first event after ${typical('first_event_ms')}) + rest ${(httpMs - durationMs).toFixed(1)}`,
        `until it was told ${typical('prepare_ms')}, until it took that up ${typical('bind_ms')}, until the first token ${typical('first_token_ms')}`,
      ];
    },
    [Symbol.asyncDispose]: async () => {
      // Not killed: without a sandbox its runs would outlive it.
      gateway.child.kill('SIGTERM');
      await gateway.exited;
      await gateway[Symbol.asyncDispose]();
    },
  };
}
