// The vault: its settings, what it keeps, whether it answers.
import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { listenUrl } from '#shared/listen.ts';

import { readConfig } from '../../../vault/config.ts';
import { signingKeyDir, signingKeyFile } from '../../../vault/identity/signing-key.ts';
import { judgeAddresses } from '../address-check.ts';
import { attempt } from '../attempt.ts';
import { examineSettings } from '../configuration-check.ts';
import { readDockerNetwork } from '../docker-network.ts';
import type { Subject } from '../examination.ts';
import { findLooseModes, judgeUser, ownerOf } from '../file-mode-check.ts';
import { fail, pass, warn } from '../finding.ts';
import type { Finding } from '../finding.ts';
import { checkDisk } from '../machine-check.ts';
import { askService } from '../service-answer.ts';
import { checkVaultDatabase } from './vault-database-check.ts';

type ReadVault = ReturnType<typeof readConfig>;

const diskReserveBytes = 256 * 2 ** 20;

export async function* examineVault({
  env,
  cwd,
  projectDir,
  uid,
}: Subject): AsyncGenerator<Finding> {
  const { findings, read } = examineSettings('vault: configuration', () => readConfig(env, cwd));
  yield* findings;
  if (read === null) return;
  const { dataDir } = read.config;
  const ofUser = judgeUser(dataDir, ownerOf(dataDir), uid, 'vault');
  yield* ofUser;
  if (ofUser.some(({ status }) => status === 'fail')) return;
  yield await judgeRunning(read);
  yield* await attempt('vault: file modes', () => checkModes(dataDir));
  yield* await attempt('vault: addresses', () => addressFindings(read));
  yield* await attempt('vault: disk', async () => [
    await checkDisk('vault: disk', dataDir, diskReserveBytes),
  ]);
  yield judgePage(existsSync(join(projectDir, 'dashboard/dist/index.html')));
  yield* await attempt('vault: database', () =>
    checkVaultDatabase({ dataDir, databaseUrl: read.secrets.databaseUrl }),
  );
}

async function judgeRunning({ config: { listen } }: ReadVault): Promise<Finding> {
  const name = 'vault';
  if (listen.port === 0) return pass(name, 'takes any free port: it was not asked');
  const url = listenUrl(listen.host, listen.port);
  const answer = await askService(`${url}/api/v1/health/ready`, null);
  if (answer.kind === 'silent') return pass(name, `not running: nothing answers at ${url}`);
  if (answer.status === 200) return pass(name, `answers at ${url}`);
  return fail(
    name,
    `answers at ${url} with ${answer.status}: ${JSON.stringify(answer.body)}`,
    'look at its log; what it names there does not work',
  );
}

function checkModes(dataDir: string): Finding[] {
  const name = 'vault: file modes';
  const files = ['vault.db', 'vault.db-wal', 'vault.db-shm', 'vault-reserve', signingKeyFile];
  const loose = findLooseModes(
    name,
    [dataDir, ...['attachments', signingKeyDir].map((each) => join(dataDir, each))],
    files.map((each) => join(dataDir, each)),
  );
  return loose.length > 0
    ? loose
    : [pass(name, `${dataDir} and what is in it are for its owner alone`)];
}

function addressFindings({ config }: ReadVault): Finding[] {
  const facts = { ...config, docker: readDockerNetwork(), hostVariable: 'VAULT_HOST' };
  return judgeAddresses(facts).map((finding) => ({ ...finding, name: `vault: ${finding.name}` }));
}

function judgePage(isBuilt: boolean): Finding {
  const name = 'vault: page';
  if (isBuilt) return pass(name, 'is built');
  return warn(name, 'is not built: whoever opens it is told so', 'npm run build');
}
