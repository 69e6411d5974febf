// Everything that runs claude: the sandbox that works here, the installation, the credential, the queue and the worker.
import { join } from 'node:path';

import { StartError } from '#shared/errors.ts';
import { newId } from '#shared/ids.ts';

import { findCredential } from './claude/claude-credential.ts';
import type { ClaudeCredential } from './claude/claude-credential.ts';
import { createClaudeLookup } from './claude/claude-installation.ts';
import type { ClaudeLookup } from './claude/claude-installation.ts';
import { readClaudeVersion } from './claude/claude-version.ts';
import { createLoginDirectory } from './claude/login-directory.ts';
import type { LoginDirectory } from './claude/login-directory.ts';
import type { GatewayConfig, GatewaySecrets } from './config.ts';
import { hasDiskSpace } from './runs/disk-space.ts';
import { createRunQueue } from './runs/run-queue.ts';
import type { RunQueue } from './runs/run-queue.ts';
import { createRunService } from './runs/run-service.ts';
import type { RunService } from './runs/run-service.ts';
import { createRunWorker } from './runs/run-worker.ts';
import { createSignInBreaker } from './runs/sign-in-breaker.ts';
import type { SignInBreaker } from './runs/sign-in-breaker.ts';
import { probeSandbox } from './sandbox/sandbox-probe.ts';
import type { ProbedSandbox } from './sandbox/sandbox-probe.ts';
import type { Storage } from './storage.ts';
import type { Surroundings } from './surroundings.ts';

export type RunEngine = {
  runs: RunService;
  queue: RunQueue;
  breaker: SignInBreaker;
  claude: ClaudeLookup;
  credential: ClaudeCredential;
  sandbox: ProbedSandbox;
  hasDiskSpace: () => Promise<boolean>;
};

/** Throws StartError when SANDBOX=require cannot be had. */
export async function openRunEngine(
  config: GatewayConfig,
  secrets: GatewaySecrets,
  storage: Storage,
  surroundings: Surroundings,
): Promise<RunEngine> {
  const { clock, log } = surroundings;
  const { dataDir, runsDir, limits } = config;
  const probed = await probeSandbox(config.sandbox, { ...surroundings, runsDir });
  requireSandbox(config, probed);
  const { sandbox } = probed;
  const claude = createClaudeLookup({
    bin: config.claude.bin,
    ...surroundings,
    readVersion: (program) => readClaudeVersion(program, { sandbox, runsDir, clock }),
  });
  const credential = await findCredential(secrets, config.claude);
  const breaker = createSignInBreaker(clock, config.runs.authRetryMs);
  const queue = createRunQueue({ ...config.runs, monotonicMs: () => clock.monotonicMs() });
  const enoughDisk = (): Promise<boolean> =>
    hasDiskSpace([dataDir, runsDir], limits.diskReserveBytes);
  const worker = createRunWorker({
    sandbox,
    claude,
    credential,
    login: loginFor(credential, dataDir, probed, surroundings),
    baseUrl: config.claude.baseUrl,
    runsDir,
    deadlines: config.runs,
    limits,
    onAnswer: () => breaker.sawAnswer(),
    clock,
    log,
  });
  const runs = createRunService({
    limits: { ...config.runs, ...limits, models: config.models },
    queue,
    shelf: storage.shelf,
    records: storage.records,
    worker,
    breaker,
    signInMend: credential.mend,
    hasDiskSpace: enoughDisk,
    clock,
    newId,
    log,
  });
  return { runs, queue, breaker, claude, credential, sandbox: probed, hasDiskSpace: enoughDisk };
}

function requireSandbox(config: GatewayConfig, { sandbox, refused }: ProbedSandbox): void {
  if (config.sandbox !== 'require' || sandbox.tier !== 'none') return;
  const reasons = refused.map(({ tier, problem, mend }) => `  ${tier}: ${problem}. ${mend}`);
  throw new StartError(
    [
      'SANDBOX=require, but no sandbox works here:',
      ...reasons,
      '  SANDBOX=none runs without one.',
    ].join('\n'),
  );
}

function loginFor(
  credential: ClaudeCredential,
  dataDir: string,
  { sandbox }: ProbedSandbox,
  { clock }: Surroundings,
): LoginDirectory | null {
  if (credential.configDir === null) return null;
  return createLoginDirectory({
    configDir: credential.configDir,
    stagedDir: join(dataDir, 'login'),
    runUid: sandbox.runUid,
    clock,
  });
}
