// The key and the token that the watcher has: its own, or those that npm start has made for it.
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';

import { readVariable } from '#shared/config/variable.ts';
import type { Environment } from '#shared/config/variable.ts';
import { listenUrl } from '#shared/listen.ts';

import { variables as gatewayVariables } from '../../../gateway/config-variables.ts';
import { variables as vaultVariables } from '../../../vault/config-variables.ts';
import { variables } from '../../../watcher/config-variables.ts';
import { credentialsPath, readCredentials } from '../../start/kept-credentials.ts';
import { fail, messageOf, pass } from '../finding.ts';
import type { Finding } from '../finding.ts';

export function findCredentials(
  env: Environment,
  cwd: string,
): { findings: Finding[]; variables: Environment } {
  const own = [variables.vaultKey, variables.vaultKeyFile].some(({ name }) => env[name]);
  if (own) return { findings: [], variables: {} };
  const { dataDir } = vaultVariables;
  const path = credentialsPath(resolve(cwd, env[dataDir.name] || dataDir.fallback));
  if (!existsSync(path)) return { findings: [], variables: {} };
  const name = 'watcher: credentials';
  try {
    const kept = readCredentials(path);
    return {
      findings: [pass(name, `${path}, for its owner alone`)],
      variables: {
        [variables.vaultKey.name]: kept?.vaultKey ?? '',
        [variables.gatewayToken.name]: kept?.gatewayToken ?? '',
        // npm start gives the watcher the addresses of the two that it has started.
        [variables.vaultUrl.name]: addressOf(env, vaultVariables),
        [variables.gatewayUrl.name]: addressOf(env, gatewayVariables),
      },
    };
  } catch (err) {
    return { findings: [fail(name, messageOf(err), `chmod 600 ${path}`)], variables: {} };
  }
}

function addressOf(
  env: Environment,
  { listenHost, listenPort }: Pick<typeof vaultVariables, 'listenHost' | 'listenPort'>,
): string {
  // What is wrong with them is told where their service is looked at.
  const problems: string[] = [];
  return listenUrl(
    readVariable(env, listenHost, problems),
    readVariable(env, listenPort, problems),
  );
}
