// A thousand messages to the fake CLI, two watchers, one of them killed and started again every few seconds: a thousand answers.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { startNode } from '../support/child-script.ts';
import type { Script } from '../support/child-script.ts';
import { startGatewayProcess } from '../support/gateway-process.ts';
import { eventually } from './bench-set.ts';
import { openPool, startBenchVault } from './bench-vault.ts';
import type { BenchVault } from './bench-vault.ts';
import type { Row } from './table.ts';

const messages = 1000;
const killApartMs = 4000;
const withinMs = 10 * 60_000;

type SeenEvent = { seq: number; event_type: string; reply_to: string | null; content: string };

export async function measureThousandMessages(): Promise<Row[]> {
  await using opened = new AsyncDisposableStack();
  const vault = opened.use(await startBenchVault('sqlite'));
  const gateway = opened.use(
    await startGatewayProcess({
      env: {
        CLAUDE_BIN: join(import.meta.dirname, '../support/quick-claude.sh'),
        ...{ PREPARED_RUNS: '0', GATEWAY_CONCURRENCY: '4', RUN_QUEUE_LIMIT: '2000' },
      },
    }),
  );
  const dir = await mkdtemp(join(tmpdir(), 'gatehouse-bench-loop-'));
  opened.defer(() => rm(dir, { recursive: true, force: true }));
  const [key = ''] = vault.tokens;
  const env = {
    ...{ WATCHER_VAULT_URL: vault.url, WATCHER_VAULT_KEY: key, WATCHER_LEASE_SECS: '5' },
    ...{ WATCHER_GATEWAY_URL: gateway.url, WATCHER_GATEWAY_TOKEN: await gateway.mint('watcher') },
    ...{ WATCHER_HEALTH_PORT: '0', WATCHER_FIRST_START: 'all', LOG_LEVEL: 'warn' },
  };
  const startWatcher = (name: string): Script =>
    startNode(['watcher/main.ts'], { ...env, WATCHER_DATA_DIR: join(dir, name) });
  const asked = await postAll(vault);
  const startedAt = performance.now();
  await using steady = startWatcher('steady');
  void steady;
  const over = new AbortController();
  const killing = killAgainAndAgain(() => startWatcher('killed'), over.signal);
  const counts = await eventually(async () => {
    const found = await answersOf(vault);
    return found.size >= messages ? found : undefined;
  }, withinMs).finally(() => over.abort());
  const secs = (performance.now() - startedAt) / 1000;
  const kills = await killing;
  const missing = [...asked].filter((eventId) => !counts.has(eventId)).length;
  const twice = [...counts.values()].filter((count) => count > 1).length;
  const isMet = missing === 0 && twice === 0 && counts.size === messages;
  return [
    {
      name: `${messages} messages, two watchers, one killed ${kills} times: answered once`,
      ...{ measured: String(counts.size - twice), target: String(messages), isMet },
      ours: `${secs.toFixed(0)} s, ${(messages / secs).toFixed(1)} messages/s; twice ${twice}, missing ${missing}`,
      ...{ baseline: '', samples: messages, phases: [] },
    },
  ];
}

/** Gives how often. The last one is ended as well. */
async function killAgainAndAgain(start: () => Script, over: AbortSignal): Promise<number> {
  for (let kills = 0; ; kills += 1) {
    await using script = start();
    await sleep(killApartMs, undefined, { signal: over }).catch(() => {});
    script.child.kill('SIGKILL');
    await script.ended;
    if (over.aborted) return kills;
  }
}

/** As somebody on the page, whose messages alone are answered; gives their ids. Over all agents in turn. */
async function postAll(vault: BenchVault): Promise<Set<string>> {
  await using pool = openPool(vault.url, 8);
  const ids = new Set<string>();
  const one = async (index: number): Promise<void> => {
    const agentId = vault.agentIds[index % vault.agentIds.length];
    const body = { event_type: 'user_message', content: `one of many\nmessage ${index}` };
    const path = `/agents/${agentId}/events`;
    // oxlint-disable-next-line typescript/no-explicit-any -- it is our own API
    const { data }: any = await vault.ask(pool, { path, body, token: vault.personToken });
    ids.add(data.event_id);
  };
  for (let from = 0; from < messages; from += 8) {
    await Promise.all(
      Array.from({ length: Math.min(8, messages - from) }, (_, index) => one(from + index)),
    );
  }
  return ids;
}

/** By message, how many there are. */
async function answersOf(vault: BenchVault): Promise<Map<string, number>> {
  await using pool = openPool(vault.url, 4);
  const counts = new Map<string, number>();
  for (const agentId of vault.agentIds) {
    for (let since = 0; ;) {
      const path = `/agents/${agentId}/events?type=assistant_message&since=${since}&order=asc&limit=200`;
      // oxlint-disable-next-line typescript/no-explicit-any -- it is our own API
      const { data }: any = await vault.ask(pool, { path });
      for (const { reply_to: to } of data as SeenEvent[]) {
        if (to !== null) counts.set(to, (counts.get(to) ?? 0) + 1);
      }
      const last = data.at(-1)?.seq;
      if (last === undefined) break;
      since = last;
    }
  }
  return counts;
}
