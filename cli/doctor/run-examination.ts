// What a run would meet: the sandbox, claude in it, the credential it gets, and on request all of it together.
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';

import { findCredential } from '../../gateway/claude/claude-credential.ts';
import type { ClaudeCredential } from '../../gateway/claude/claude-credential.ts';
import { createClaudeLookup } from '../../gateway/claude/claude-installation.ts';
import { readClaudeVersion } from '../../gateway/claude/claude-version.ts';
import { tryToEscape } from '../../gateway/sandbox/escape-trial.ts';
import { probeSandbox } from '../../gateway/sandbox/sandbox-probe.ts';
import { groundOf } from '../../gateway/workspaces/workspace-ground.ts';
import { attempt } from './attempt.ts';
import { checkClaude, readClaudePin } from './claude-check.ts';
import type { ReadConfiguration } from './configuration-check.ts';
import { judgeCredential, judgeSignIn, judgeTerms } from './credential-check.ts';
import type { ExaminationOptions, Subject } from './examination.ts';
import type { Finding } from './finding.ts';
import { checkLogin } from './login-check.ts';
import { probeRun } from './probe-run.ts';
import type { Records } from './records.ts';
import type { RunningGateway } from './running-gateway.ts';
import { judgeEscapes, judgeSandbox } from './sandbox-check.ts';
import { checkWorkspaces } from './workspace-check.ts';

type RunOptions = ExaminationOptions & { gateway: RunningGateway };

export async function* examineRuns(
  { projectDir, env, uid, clock }: Subject,
  { config, secrets }: ReadConfiguration,
  records: Records,
  { withProbe, signal, gateway }: RunOptions,
): AsyncGenerator<Finding> {
  const path = env['PATH'] ?? '';
  const { dataDir, runsDir } = config;
  // Where runs are made, since it may be mounted in its own way; a gateway that never ran has no such place yet.
  const baseDir = existsSync(runsDir) ? runsDir : tmpdir();
  const place = { runsDir: baseDir, dataDir, path, isRoot: uid === 0, clock };
  const probed = await probeSandbox(config.sandbox, place);
  const { sandbox } = probed;
  yield* judgeSandbox(config.sandbox, probed);
  if (sandbox.tier !== 'none' && !signal.aborted) {
    yield* await attempt('escape', async () => judgeEscapes(await tryToEscape(sandbox, place)));
  }
  const ground = groundOf({ ...config, projectDir });
  const workspaceFile = { file: config.workspacesFile, isRoot: uid === 0, ground };
  yield* await attempt('workspaces', () => checkWorkspaces(workspaceFile, sandbox));
  if (signal.aborted) return;

  const claude = createClaudeLookup({
    ...{ bin: config.claude.bin, projectDir, path },
    readVersion: (program) => readClaudeVersion(program, { sandbox, runsDir: baseDir, clock }),
  });
  yield* await attempt('claude', () =>
    checkClaude(claude, readClaudePin(projectDir).version, config.claude.bin),
  );
  const credential = await findCredential(secrets, config.claude);
  yield* await attempt('credential', () =>
    credentialFindings(credential, config.claude.baseUrl, records, gateway, clock.now()),
  );
  if (!withProbe || signal.aborted) return;
  const isGatewayRunning = gateway.holderPid !== null;
  const probe = { config, sandbox, claude, credential, baseDir, isGatewayRunning, signal, clock };
  yield* await attempt('probe', async () => [await probeRun(probe)]);
}

async function credentialFindings(
  credential: ClaudeCredential,
  baseUrl: string | null,
  records: Records,
  { health, holderPid }: RunningGateway,
  nowMs: number,
): Promise<Finding[]> {
  const { configDir, mend } = credential;
  // A gateway that does not hold our data directory speaks of another credential.
  const authenticated = holderPid === null ? null : (health?.authenticated ?? null);
  return [
    ...judgeCredential(credential, baseUrl),
    ...(configDir === null ? [] : await checkLogin(configDir, mend, nowMs)),
    ...judgeSignIn(credential, authenticated, records.signInHistory()),
    ...judgeTerms(credential, records.appCount()),
  ];
}
