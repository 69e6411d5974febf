// `npm run bench`: one table of ratios, each measured interleaved with its baseline.
import { execFileSync } from 'node:child_process';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';

import { realClaude } from '../support/claude-conversation.ts';
import { measureAddedTime } from './added-time.ts';
import { measureBackup } from './backup.ts';
import { measureDoorThroughput } from './door-throughput.ts';
import { measureEnqueue } from './enqueue.ts';
import { measureFanOut } from './fan-out.ts';
import { measureKeyToScreen } from './key-to-screen.ts';
import { measureMemory } from './memory.ts';
import { measureMessageToRun } from './message-to-run.ts';
import { measurePreparedRuns } from './prepared-runs.ts';
import { measureRunOverhead } from './run-overhead.ts';
import { measureSoak } from './soak.ts';
import { renderPhases, renderTable } from './table.ts';
import type { Row } from './table.ts';
import { measureThousandMessages } from './thousand-messages.ts';
import { measureVaultClaims } from './vault-claims.ts';
import { measureVaultFanOut } from './vault-fan-out.ts';
import { measureVaultPosts } from './vault-posts.ts';
import { measureVaultSince } from './vault-since.ts';

const parts: Record<string, () => Promise<Row[]>> = {
  'run-overhead': measureRunOverhead,
  'prepared-runs': measurePreparedRuns,
  'added-time': measureAddedTime,
  'door-throughput': measureDoorThroughput,
  memory: measureMemory,
  enqueue: measureEnqueue,
  'fan-out': measureFanOut,
  soak: measureSoak,
  backup: measureBackup,
  'vault-posts': measureVaultPosts,
  'vault-fan-out': measureVaultFanOut,
  'vault-since': measureVaultSince,
  'vault-claims': measureVaultClaims,
  'message-to-run': measureMessageToRun,
  'key-to-screen': measureKeyToScreen,
  'thousand-messages': measureThousandMessages,
};

const { values } = parseArgs({
  options: { only: { type: 'string', multiple: true }, phases: { type: 'boolean' } },
});
const chosen = values.only ?? Object.keys(parts);
const unknown = chosen.filter((name) => !Object.hasOwn(parts, name));
if (unknown.length > 0) {
  throw new Error(`--only takes ${Object.keys(parts).join(', ')}, not ${unknown.join(', ')}`);
}
const claudeVersion = execFileSync(realClaude, ['--version'], { encoding: 'utf8' }).trim();
const processors = cpus();
process.stdout.write(
  `${processors.length} x ${processors[0]?.model ?? 'unknown CPU'}, Node ${process.version}, claude ${claudeVersion}\n`,
);
const rows: Row[] = [];
for (const [name, measure] of Object.entries(parts)) {
  if (!chosen.includes(name)) continue;
  process.stderr.write(`measuring ${name} ...\n`);
  rows.push(...(await measure()));
}
process.stdout.write(`\n${renderTable(rows)}\n`);
const phases = renderPhases(rows, values.phases === true);
if (phases !== '') process.stdout.write(`\nWhere it goes:\n${phases}\n`);
