// The process: environment, signals, standard streams. Everything else is in app.ts.
import { availableParallelism } from 'node:os';
import { dirname } from 'node:path';

import { systemClock } from '#shared/clock.ts';
import { StartError } from '#shared/errors.ts';
import { listen } from '#shared/listen.ts';
import { createLog } from '#shared/log.ts';
import { runService } from '#shared/service.ts';
import { shortPath } from '#shared/short-path.ts';

import { openGateway } from './app.ts';
import { passThrough } from './checkpoint.ts';
import { ClaudeUnavailableError } from './claude/claude-installation.ts';
import { readConfig } from './config.ts';
import { closeInheritedDescriptors } from './inherited-descriptors.ts';
import { freeMemoryBytes } from './sandbox/free-memory.ts';
import { killAllSandboxes } from './sandbox/sandboxed-process.ts';
import { startReport } from './start-report.ts';

/** What closing takes beyond the grace of the runs. */
const closingMs = 5000;

async function main(): Promise<void> {
  if (process.platform !== 'linux') {
    throw new StartError('Gatehouse runs on Linux. Elsewhere use Docker or WSL2.');
  }
  closeInheritedDescriptors();
  const { config, secrets, warnings } = readConfig(
    process.env,
    process.cwd(),
    availableParallelism(),
  );
  const log = createLog({ level: config.logLevel, service: 'gateway' });
  for (const warning of warnings) log.warn(warning);
  const surroundings = {
    projectDir: dirname(import.meta.dirname),
    path: process.env['PATH'] ?? '',
    isRoot: process.getuid?.() === 0,
    clock: systemClock,
    log,
    freeMemoryBytes,
    checkpoint: passThrough,
  };
  await runService({
    log,
    graceMs: config.runs.shutdownGraceMs + closingMs,
    onForcedExit: killAllSandboxes,
    open: async (opened) => {
      const gateway = await openGateway(config, secrets, surroundings, opened);
      const { app, engine, adminToken, notice } = gateway;
      const claude = await engine.claude.current().catch(unavailable);
      const url = await listen(app, config.listen, 'GATEWAY_PORT');
      const { sandbox, credential } = engine;
      const { filePath } = adminToken;
      const adminTokenFile = filePath === null ? null : shortPath(filePath, process.cwd());
      const facts = { url, sandbox, claude, credential, notice, adminTokenFile };
      process.stderr.write(startReport(facts));
      if (notice !== null) log.warn({ credential: credential.source }, notice);
      log.info(
        {
          url,
          sandbox: sandbox.sandbox.tier,
          refused_tiers: sandbox.refused,
          claude: claude instanceof ClaudeUnavailableError ? null : claude.version,
          credential: credential.source,
        },
        'listening',
      );
    },
  });
}

function unavailable(err: unknown): ClaudeUnavailableError {
  if (err instanceof ClaudeUnavailableError) return err;
  throw err;
}

try {
  await main();
} catch (err) {
  process.exitCode = 1;
  // Before there is a log: the configuration is wrong.
  process.stderr.write(err instanceof StartError ? `${err.message}\n` : `${String(err)}\n`);
}
