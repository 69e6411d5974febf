// Which credential the runs use: exactly one is passed on, and to the CLI only.
import { access } from 'node:fs/promises';
import { join } from 'node:path';

import type { CredentialVariables } from './claude-environment.ts';

export const credentialsFileName = '.credentials.json';

export type CredentialSource =
  | 'ANTHROPIC_API_KEY'
  | 'ANTHROPIC_AUTH_TOKEN'
  | 'CLAUDE_CODE_OAUTH_TOKEN'
  | 'login'
  | 'none';

export type ClaudeCredential = {
  source: CredentialSource;
  variables: CredentialVariables;
  /** The directory of a login, for source `login`. */
  configDir: string | null;
  /** Credentials that are set as well and are not used. */
  unused: CredentialSource[];
  /** One line for the operator: what to do when the API does not accept it. */
  mend: string;
};

export type CredentialSecrets = {
  anthropicApiKey: string | null;
  anthropicAuthToken: string | null;
  claudeCodeOauthToken: string | null;
};

/**
 * The first of API key, auth token, OAuth token and login that there is: the order in which the CLI itself prefers them.
 * Passing several would let a stray key pay for what a login should.
 */
export async function findCredential(
  secrets: CredentialSecrets,
  login: { configDir: string | null; homeDir: string | null },
): Promise<ClaudeCredential> {
  const configDir =
    login.configDir ?? (login.homeDir === null ? null : join(login.homeDir, '.claude'));
  const set = [
    variable('ANTHROPIC_API_KEY', secrets.anthropicApiKey),
    variable('ANTHROPIC_AUTH_TOKEN', secrets.anthropicAuthToken),
    variable('CLAUDE_CODE_OAUTH_TOKEN', secrets.claudeCodeOauthToken),
    configDir !== null && (await exists(join(configDir, credentialsFileName)))
      ? { source: 'login' as const, variables: {} }
      : null,
  ].filter((each) => each !== null);
  const [chosen, ...others] = set;
  const source = chosen?.source ?? 'none';
  return {
    source,
    variables: chosen?.variables ?? {},
    configDir: source === 'login' ? configDir : null,
    unused: others.map((each) => each.source),
    mend: mendFor(source, configDir),
  };
}

function variable(
  source: Exclude<CredentialSource, 'login' | 'none'>,
  value: string | null,
): { source: CredentialSource; variables: CredentialVariables } | null {
  return value === null ? null : { source, variables: { [source]: value } };
}

function mendFor(source: CredentialSource, configDir: string | null): string {
  const signIn = configDir === null ? 'npx claude' : `CLAUDE_CONFIG_DIR=${configDir} npx claude`;
  switch (source) {
    case 'ANTHROPIC_API_KEY':
    case 'ANTHROPIC_AUTH_TOKEN':
      return `set a valid ${source} and restart the gateway`;
    case 'CLAUDE_CODE_OAUTH_TOKEN':
      return 'run `npx claude setup-token` where Gatehouse is, set CLAUDE_CODE_OAUTH_TOKEN to what it prints and restart the gateway';
    case 'login':
      return `run \`${signIn}\` where Gatehouse is, on the gateway's host, and use /login`;
    case 'none':
      return `set ANTHROPIC_API_KEY and restart the gateway, or run \`${signIn}\` where Gatehouse is, on its host, use /login and restart it`;
  }
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
