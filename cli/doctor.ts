// npm run doctor [-- --json] [-- --probe]: 0 nothing is broken (warnings may be), 1 something is, 2 wrong usage. The gateway may
// be running, or never have run.
import { availableParallelism } from 'node:os';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';

import { systemClock } from '#shared/clock.ts';

import { killAllSandboxes } from '../gateway/sandbox/sandboxed-process.ts';
import { exitCodeFor, jsonDocument, textLines, textSummary } from './doctor/doctor-report.ts';
import { examine } from './doctor/examination.ts';
import type { Finding } from './doctor/finding.ts';
import { probeNotice } from './doctor/probe-run.ts';

type Wishes = { json: boolean; probe: boolean };

const wishes = readWishes();
process.exitCode = wishes === null ? 2 : await doctor(wishes);

function readWishes(): Wishes | null {
  const flag = { type: 'boolean', default: false } as const;
  try {
    return parseArgs({ options: { json: flag, probe: flag } }).values;
  } catch (err) {
    process.stderr.write(`${err instanceof Error ? err.message : String(err)}\n`);
    process.stderr.write('npm run doctor [-- --json] [-- --probe]\n');
    return null;
  }
}

async function doctor(wanted: Wishes): Promise<0 | 1> {
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.once(name, () => {
      stop.abort();
      killAllSandboxes();
    });
  }
  if (wanted.probe) process.stderr.write(`${probeNotice}\n`);
  const findings: Finding[] = [];
  const subject = {
    env: process.env,
    cwd: process.cwd(),
    projectDir: dirname(import.meta.dirname),
    cores: availableParallelism(),
    uid: process.getuid?.() ?? 0,
    nodeVersion: process.version,
    clock: systemClock,
  };
  for await (const finding of examine(subject, { withProbe: wanted.probe, signal: stop.signal })) {
    findings.push(finding);
    if (!wanted.json) print(textLines(finding));
  }
  print(wanted.json ? jsonDocument(findings) : textSummary(findings));
  return exitCodeFor(findings);
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
