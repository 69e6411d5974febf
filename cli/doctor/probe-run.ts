// One tiny real run on the path that every run takes, in a directory of its own and without a row anywhere.
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';

import type { Clock } from '#shared/clock.ts';
import { newId } from '#shared/ids.ts';
import { createLog } from '#shared/log.ts';

import { credentialsFileName } from '../../gateway/claude/claude-credential.ts';
import type { ClaudeCredential } from '../../gateway/claude/claude-credential.ts';
import type { ClaudeLookup } from '../../gateway/claude/claude-installation.ts';
import { createLoginDirectory } from '../../gateway/claude/login-directory.ts';
import type { LoginDirectory } from '../../gateway/claude/login-directory.ts';
import { readLoginFile } from '../../gateway/claude/login-file.ts';
import type { GatewayConfig } from '../../gateway/config.ts';
import { nothingPrepared } from '../../gateway/runs/prepared-runs.ts';
import { createRunWorker } from '../../gateway/runs/run-worker.ts';
import type { FinishedRun } from '../../gateway/runs/run-worker.ts';
import type { Sandbox } from '../../gateway/sandbox/sandbox-tier.ts';
import { fail, pass } from './finding.ts';
import type { Finding } from './finding.ts';

export const probeNotice =
  'The probe makes one real run with your credential. It spends a few tokens.';

export type ProbeOptions = {
  config: GatewayConfig;
  sandbox: Sandbox;
  claude: ClaudeLookup;
  credential: ClaudeCredential;
  /** An existing directory for the run's own. */
  baseDir: string;
  isGatewayRunning: boolean;
  signal: AbortSignal;
  clock: Clock;
};

const name = 'probe';
const timeoutMsMax = 60_000;

export async function probeRun(options: ProbeOptions): Promise<Finding> {
  const { config, credential, clock } = options;
  if (credential.source === 'none') return fail(name, 'not made: no credential', credential.mend);
  if (options.isGatewayRunning && (await isLoginDue(credential, clock))) {
    return fail(
      name,
      'not made: the login has to be renewed first, which the running gateway must do alone',
      'send one run to the gateway, then probe again',
    );
  }
  const root = await mkdtemp(join(options.baseDir, 'gatehouse-probe-'));
  try {
    const worker = createRunWorker({
      prepared: nothingPrepared,
      ...{ sandbox: options.sandbox, claude: options.claude, credential, clock },
      login: loginFor(options, root),
      baseUrl: config.claude.baseUrl,
      runsDir: root,
      deadlines: config.runs,
      limits: config.limits,
      log: createLog({ level: 'silent', service: 'doctor' }),
    });
    const finished = await worker.work({
      runId: newId('run'),
      admitted: tinyRun(config),
      stop: options.signal,
    });
    return judgeProbe(finished, credential.mend);
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

function tinyRun({ models, runs }: GatewayConfig) {
  const prompt = 'Answer with the one word: ready';
  return {
    claude: { prompt, model: models.default, system: null, effort: null, jsonSchema: null },
    session: null,
    profile: { maxTurns: 1, maxBudgetUsd: null },
    timeoutMs: Math.min(runs.timeoutMs, timeoutMsMax),
    promptBytes: Buffer.byteLength(prompt),
    metadata: {},
  };
}

const refreshWindowMs = 10 * 60_000;

/** Refresh tokens are good for one use: two that race for it log everybody out. */
async function isLoginDue({ configDir }: ClaudeCredential, clock: Clock): Promise<boolean> {
  if (configDir === null) return false;
  const file = await readLoginFile(join(configDir, credentialsFileName), { followLinks: true });
  return file?.expiresAt != null && file.expiresAt - clock.now() < refreshWindowMs;
}

/** The copy of a running gateway is not touched; that of a stopped one may be newer than the login, so it is taken. */
function loginFor(options: ProbeOptions, root: string): LoginDirectory | null {
  const { credential, config, isGatewayRunning, sandbox, clock } = options;
  if (credential.configDir === null) return null;
  return createLoginDirectory({
    configDir: credential.configDir,
    stagedDir: isGatewayRunning ? join(root, 'login') : join(config.dataDir, 'login'),
    runUid: sandbox.runUid,
    clock,
  });
}

export function judgeProbe(
  { verdict, transcript, phases }: Pick<FinishedRun, 'verdict' | 'transcript' | 'phases'>,
  signInMend: string,
): Finding {
  if (verdict.outcome === 'completed') {
    const { usage, total_cost_usd: cost } = transcript.result ?? {};
    const tokens = `${usage?.input_tokens ?? 0} tokens in, ${usage?.output_tokens ?? 0} out`;
    const price = cost === undefined ? '' : `, about $${cost.toFixed(4)}`;
    return pass(
      name,
      `${transcript.model} answered in ${(phases.durationMs / 1000).toFixed(1)} s (${tokens}${price})`,
    );
  }
  const mend = mends[verdict.outcome] ?? 'see the table of codes in README.md';
  return fail(
    name,
    `${verdict.outcome}: ${verdict.message}`,
    verdict.outcome === 'auth' ? signInMend : mend,
  );
}

const mends: Partial<Record<FinishedRun['verdict']['outcome'], string>> = {
  billing: 'look at the billing of the account that the credential belongs to',
  model_unavailable: 'set DEFAULT_MODEL to a model that this credential may use',
  rate_limited: 'wait until the limit of the account opens again',
  overloaded: 'try again in a minute: the API is overloaded',
  upstream_error: 'check that this machine reaches the API (network, proxy, ANTHROPIC_BASE_URL)',
  timeout_start: 'claude said nothing: run it by hand as the user of the gateway',
  timeout_idle: 'check that this machine reaches the API (network, proxy, ANTHROPIC_BASE_URL)',
  timeout_total: 'check that this machine reaches the API (network, proxy, ANTHROPIC_BASE_URL)',
  disk_full: 'free some space',
};
