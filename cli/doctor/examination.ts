// All checks in the order in which an operator wants to read them, of the services that are on this host. Nothing is changed, no lock is taken.
import { join } from 'node:path';

import type { Clock } from '#shared/clock.ts';
import type { Environment } from '#shared/config/variable.ts';

import { judgeAddresses } from './address-check.ts';
import { attempt } from './attempt.ts';
import { checkConfiguration, checkEnvironmentFile } from './configuration-check.ts';
import type { ReadConfiguration } from './configuration-check.ts';
import { readDockerNetwork } from './docker-network.ts';
import { checkFileModes, judgeUser, ownerOf } from './file-mode-check.ts';
import { pass, warn } from './finding.ts';
import type { Finding } from './finding.ts';
import { findHostedServices } from './hosted-services.ts';
import { findLeftovers, judgeLeftovers } from './leftover-check.ts';
import {
  availableMemoryBytes,
  checkDisk,
  judgeClock,
  judgeMemory,
  judgeNode,
} from './machine-check.ts';
import { openRecords } from './records.ts';
import { examineRuns } from './run-examination.ts';
import { findRunningGateway, judgeRunning } from './running-gateway.ts';
import { examineVault } from './vault/vault-examination.ts';
import { examineWatcher } from './watcher/watcher-examination.ts';

export type Subject = {
  env: Environment;
  cwd: string;
  projectDir: string;
  cores: number;
  uid: number;
  nodeVersion: string;
  clock: Clock;
};

export type ExaminationOptions = { withProbe: boolean; signal: AbortSignal };

export async function* examine(
  subject: Subject,
  options: ExaminationOptions,
): AsyncGenerator<Finding> {
  const { env, cwd } = subject;
  yield judgeNode(subject.nodeVersion);
  yield checkEnvironmentFile(join(cwd, '.env'));
  const here = findHostedServices(env, cwd);
  if (here.gateway) yield* examineGateway(subject, options);
  else yield pass('gateway', 'none on this host');
  if (options.signal.aborted) return;
  if (here.vault) yield* examineVault(subject);
  else yield pass('vault', 'none on this host');
  if (options.signal.aborted) return;
  if (here.watcher) yield* examineWatcher(subject);
  else yield pass('watcher', 'none on this host');
}

async function* examineGateway(
  subject: Subject,
  options: ExaminationOptions,
): AsyncGenerator<Finding> {
  const { env, cwd, cores, clock } = subject;
  const { findings, read } = checkConfiguration(env, cwd, cores);
  yield* findings;
  if (read !== null) return yield* examineConfigured(subject, read, options);
  yield judgeClock(clock.now(), null);
  yield warn(
    'the rest',
    'was not looked at, since it depends on the configuration',
    'correct the configuration, then run the doctor again',
  );
}

async function* examineConfigured(
  subject: Subject,
  read: ReadConfiguration,
  options: ExaminationOptions,
): AsyncGenerator<Finding> {
  const { config } = read;
  const { dataDir } = config;
  const ofUser = await attempt('user', () => judgeUser(dataDir, ownerOf(dataDir), subject.uid));
  yield* ofUser;
  if (ofUser.some(({ status }) => status === 'fail')) {
    return yield warn(
      'the rest',
      'was not looked at, since this user cannot see it',
      "run the doctor again as the gateway's user",
    );
  }
  const gateway = await findRunningGateway(config);
  yield judgeRunning(gateway);
  yield* await attempt('file modes', () => checkFileModes(dataDir, config.runsDir));
  yield* await attempt('addresses', () =>
    judgeAddresses({ ...config, docker: readDockerNetwork(), hostVariable: 'GATEWAY_HOST' }),
  );
  yield* await attempt('disk', () => diskFindings(read));
  yield* await attempt('memory', async () => [
    judgeMemory(await availableMemoryBytes(), config.runs.concurrency),
  ]);

  const records = openRecords(dataDir);
  try {
    yield* records.findings;
    yield* await attempt('clock', () => [judgeClock(subject.clock.now(), records.lastAuditAt())]);
    yield* await attempt('leftovers', () =>
      judgeLeftovers(findLeftovers(config.runsDir, gateway.holderPid !== null, records)),
    );
    yield* examineRuns(subject, read, records, { ...options, gateway });
  } finally {
    records.close();
  }
}

async function diskFindings({ config }: ReadConfiguration): Promise<Finding[]> {
  const { diskReserveBytes } = config.limits;
  return [
    await checkDisk('disk (data)', config.dataDir, diskReserveBytes),
    await checkDisk('disk (runs)', config.runsDir, diskReserveBytes),
  ];
}
