// The environment, and the file that it comes from.
import { existsSync, readFileSync, statSync } from 'node:fs';
import { parseEnv } from 'node:util';

import { ConfigError } from '#shared/config/config-error.ts';
import type { Environment } from '#shared/config/variable.ts';

import { readConfig } from '../../gateway/config.ts';
import { fail, messageOf, pass, warn } from './finding.ts';
import type { Finding } from './finding.ts';

export type ReadConfiguration = ReturnType<typeof readConfig>;

export function checkConfiguration(
  env: Environment,
  cwd: string,
  cores: number,
): { findings: Finding[]; read: ReadConfiguration | null } {
  return examineSettings('configuration', () => readConfig(env, cwd, cores));
}

/** Of any service; `readSettings` throws ConfigError. */
export function examineSettings<T extends { warnings: readonly string[] }>(
  name: string,
  readSettings: () => T,
): { findings: Finding[]; read: T | null } {
  try {
    const read = readSettings();
    const warnings = read.warnings.map((warning) =>
      warn(name, warning, 'correct its name, or take it away'),
    );
    return {
      findings: warnings.length > 0 ? warnings : [pass(name, 'every value is right')],
      read,
    };
  } catch (err) {
    if (!(err instanceof ConfigError)) throw err;
    const findings = err.problems.map((problem) =>
      fail(name, problem, `correct ${problem.split(' ')[0]}: .env.example describes it`),
    );
    return { findings, read: null };
  }
}

const secretVariables = [
  'ADMIN_BOOTSTRAP_TOKEN',
  'ANTHROPIC_API_KEY',
  'ANTHROPIC_AUTH_TOKEN',
  'CLAUDE_CODE_OAUTH_TOKEN',
  'ANTHROPIC_BASE_URL',
  'DATABASE_URL',
  'POSTGRES_PASSWORD',
  'WATCHER_VAULT_KEY',
  'WATCHER_GATEWAY_TOKEN',
];

export function checkEnvironmentFile(path: string): Finding {
  if (!existsSync(path)) return pass('.env', 'none: the environment and the defaults decide');
  try {
    const variables = parseEnv(readFileSync(path, 'utf8'));
    const secrets = secretVariables.filter((name) => variables[name]);
    return judgeEnvironmentFile(path, statSync(path).mode, secrets);
  } catch (err) {
    return fail(
      '.env',
      messageOf(err),
      `let the gateway's user read ${path}, or take the file away`,
    );
  }
}

export function judgeEnvironmentFile(
  path: string,
  mode: number,
  secrets: readonly string[],
): Finding {
  const mend = `chmod 600 ${path}`;
  if ((mode & 0o002) !== 0) return fail('.env', `${path} can be written by everybody`, mend);
  if ((mode & 0o004) === 0) return pass('.env', path);
  return secrets.length === 0
    ? pass('.env', `${path}, readable by everybody, holds no secret`)
    : fail('.env', `${path} can be read by everybody and holds ${secrets.join(', ')}`, mend);
}
