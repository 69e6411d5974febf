// A thousand messages and a hundred who want to answer each: whether each has one winner, and how long that takes.
import { vaultDatabases } from '../support/vault-databases.ts';
import type { VaultDatabase } from '../support/vault-databases.ts';
import { openPool, startBenchVault } from './bench-vault.ts';
import type { Row } from './table.ts';

const messages = 1000;
const claimants = 100;

export async function measureVaultClaims(): Promise<Row[]> {
  const rows: Row[] = [];
  for (const kind of vaultDatabases) rows.push(await measureOn(kind));
  return rows;
}

async function measureOn(kind: VaultDatabase): Promise<Row> {
  await using vault = await startBenchVault(kind);
  await using pool = openPool(vault.url, claimants);
  const posted = await Promise.all(
    Array.from({ length: messages }, (_, index) =>
      vault.ask(pool, {
        path: `/agents/${vault.agentIds[index % vault.agentIds.length]}/events`,
        body: { event_type: 'user_message', content: `message ${index}` },
      }),
    ),
  );
  const ids = posted.map((answer) => (answer as { data: { event_id: string } }).data.event_id);
  const winners = new Map<string, number>();
  let asked = 0;
  /** In an order of its own, until everything is taken. */
  const claimAll = async (token: string): Promise<void> => {
    const order = ids.toSorted(() => Math.random() - 0.5);
    for (const id of order) {
      if (winners.size === messages) return;
      asked += 1;
      const { statusCode, body } = await pool.request({
        path: `/api/v1/events/${id}/claim`,
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: '{"lease_secs":3600}',
      });
      await body.dump();
      if (statusCode === 201) winners.set(id, (winners.get(id) ?? 0) + 1);
      else if (statusCode !== 409) throw new Error(`a claim was answered with ${statusCode}`);
    }
  };
  const startedAt = performance.now();
  await Promise.all(vault.tokens.map(claimAll));
  const tookSecs = (performance.now() - startedAt) / 1000;
  const unique = winners.values().reduce((sum, count) => sum + (count === 1 ? 1 : 0), 0);
  return {
    name: `${kind}: ${messages} messages, ${claimants} claimants: unique winners`,
    measured: String(unique),
    target: String(messages),
    isMet: unique === messages,
    ours: `${tookSecs.toFixed(1)} s, ${(asked / tookSecs).toFixed(0)} claims/s`,
    baseline: '',
    samples: asked,
    phases: [],
  };
}
