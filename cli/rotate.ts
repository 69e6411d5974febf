// npm run rotate: a new key and a new token for the watcher that npm start runs. It takes them within a few seconds; the old ones work for
// another hour, so that what is under way ends well.
import { availableParallelism } from 'node:os';

import { listenUrl } from '#shared/listen.ts';
import { createLog } from '#shared/log.ts';

import { readConfig as readGatewayConfig } from '../gateway/config.ts';
import { readConfig as readVaultConfig } from '../vault/config.ts';
import { prepareVault } from './start/first-things.ts';
import { makeGatewayToken } from './start/gateway-token.ts';
import { credentialsPath, writeCredentials } from './start/kept-credentials.ts';

const overlapSecs = 3600;

try {
  const { env } = process;
  const { config: gateway, secrets } = readGatewayConfig(
    env,
    process.cwd(),
    availableParallelism(),
  );
  const vault = readVaultConfig(env, process.cwd());
  const { host, port } = gateway.listen;
  const admin = { dataDir: gateway.dataDir, bootstrapToken: secrets.adminBootstrapToken };
  const gatewayToken = await makeGatewayToken(listenUrl(host, port), admin, overlapSecs);
  const log = createLog({ level: 'warn', service: 'rotate', destination: process.stderr });
  const vaultKey = await prepareVault(vault.config, vault.secrets, log, overlapSecs);
  writeCredentials(credentialsPath(vault.config.dataDir), { vaultKey, gatewayToken });
  process.stdout.write('the watcher has a new key and a new token\n');
} catch (err) {
  const reason = err instanceof Error ? err.message : String(err);
  process.stderr.write(`nothing was renewed: ${reason} (npm start must be running)\n`);
  process.exitCode = 1;
}
