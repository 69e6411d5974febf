// A vault with somebody in it. Prints where it is and who may do what; and, asked by a line, how long its event loop was held up since.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { createInterface } from 'node:readline';

import { startTestVault } from '../support/vault-world.ts';

const agents = 20;
const keys = 100;

const url = process.env['DATABASE_URL'] ?? null;
const kind = url === null ? 'sqlite' : 'postgres';
const database = { kind, url, [Symbol.asyncDispose]: () => Promise.resolve() } as const;
const dataDir = process.env['VAULT_DATA_DIR'] ?? '';
const world = await startTestVault(kind, { dataDir, database, keep: true });
const { userId, token: personToken } = await world.person('admin');
const tokens: string[] = [];
while (tokens.length < keys) tokens.push((await world.key(userId)).token);
const agentIds: string[] = [];
while (agentIds.length < agents) agentIds.push(await world.agent(tokens[0] ?? ''));

const delay = monitorEventLoopDelay({ resolution: 5 });
delay.enable();
process.stdout.write(
  `ready ${JSON.stringify({ url: world.url, tokens, agentIds, personToken })}\n`,
);
let asked = 0;
for await (const _ of createInterface({ input: process.stdin })) {
  process.stdout.write(`lag ${(asked += 1)}: ${delay.percentile(99) / 1e6}\n`);
  delay.reset();
}
