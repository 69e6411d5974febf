// The three services as npm start runs them, with somebody signed in, for measuring the way of a message through all of them.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { startedVault, startSet } from '../support/started-set.ts';

export type SetRun = { event: string; createdAt: number; endedAt: number | null };
export type SetEvent = {
  event_id: string;
  event_type: string;
  reply_to: string | null;
  content: string;
  created_at: string;
};

export type BenchSet = AsyncDisposable & {
  dir: string;
  vaultUrl: string;
  gatewayUrl: string;
  env: Record<string, string>;
  agentId: string;
  account: { name: string; password: string };
  say: (content: string) => Promise<string>;
  /** The newest 200 events of the agent, newest first. */
  events: () => Promise<SetEvent[]>;
  runs: () => Promise<SetRun[]>;
};

const readyWithinMs = 60_000;

export async function startBenchSet(env: Record<string, string>): Promise<BenchSet> {
  await using opened = new AsyncDisposableStack();
  const dir = await mkdtemp(join(tmpdir(), 'gatehouse-bench-set-'));
  opened.defer(() => rm(dir, { recursive: true, force: true }));
  const set = opened.use(startSet(dir, { VAULT_RATE_PER_MINUTE: '100000', ...env }));
  for (let waited = 0; !set.stderr().includes('Ctrl-C stops everything'); waited += 100) {
    if (waited > readyWithinMs || set.child.exitCode !== null) throw new Error(set.stderr());
    await sleep(100);
  }
  const vault = startedVault(env['VAULT_PORT'] ?? '');
  await vault.setUp(set.stderr());
  const agentId = await vault.agentId();
  const gatewayUrl = `http://127.0.0.1:${env['GATEWAY_PORT']}`;
  const adminToken = (await readFile(join(dir, 'data/admin-token'), 'utf8')).trim();
  const kept = opened.move();
  return {
    ...{
      dir,
      env,
      agentId,
      gatewayUrl,
      say: (content: string) => vault.say(content),
      account: vault.account,
    },
    vaultUrl: `http://127.0.0.1:${env['VAULT_PORT']}`,
    events: () => vault.events(),
    async runs() {
      const headers = { authorization: `Bearer ${adminToken}` };
      const answer = await fetch(`${gatewayUrl}/admin/runs?limit=200`, { headers });
      // oxlint-disable-next-line typescript/no-explicit-any -- it is our own API
      const { items }: any = await answer.json();
      return items.map(
        (run: { metadata: { event: string }; created_at: string; ended_at: string | null }) => ({
          event: run.metadata.event,
          createdAt: Date.parse(run.created_at),
          endedAt: run.ended_at === null ? null : Date.parse(run.ended_at),
        }),
      );
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

/** Gives what `look` finds, asked again and again. */
export async function eventually<T>(
  look: () => Promise<T | undefined>,
  withinMs = 30_000,
): Promise<T> {
  for (const until = performance.now() + withinMs; performance.now() < until;) {
    const found = await look();
    if (found !== undefined) return found;
    await sleep(50);
  }
  throw new Error('waited in vain');
}

export function percentile(samples: readonly number[], share: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}
