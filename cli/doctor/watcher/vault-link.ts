// Whether the watcher's key opens the vault, and is for what the watcher does.
import { Value } from 'typebox/value';

import { ListedAgent } from '#shared/vault-agent-api.ts';
import { PageAnswer, Answer } from '#shared/vault-api.ts';
import { MeView } from '#shared/vault-identity-api.ts';

import { watcherScopes } from '../../../vault/identity/service-key.ts';
import { fail, pass, warn } from '../finding.ts';
import type { Finding } from '../finding.ts';
import { askService } from '../service-answer.ts';
import { judgeClocks, judgeReach } from './link-facts.ts';
import type { LinkFacts } from './link-facts.ts';

const name = 'watcher to vault';
const renewal =
  'npm run rotate makes another key where npm start runs; else make one on the page, under Keys';

export async function checkVaultLink(
  { config, secrets, agents, isRunning }: LinkFacts,
  nowMs: number,
): Promise<Finding[]> {
  const url = config.vaultUrl;
  const ask = (path: string) =>
    askService(`${url.replace(/\/+$/, '')}/api/v1${path}`, secrets.vaultKey);
  const answer = await ask('/auth/me');
  const words = { name, url, service: 'vault', secret: "the watcher's key", renewal };
  const refusal = judgeReach(words, answer, isRunning);
  if (refusal !== null || answer.kind === 'silent') return refusal === null ? [] : [refusal];
  const { body, date } = answer;
  if (!Value.Check(Answer(MeView), body)) {
    return [fail(name, `${url} is no vault of this version`, 'update both to the same version')];
  }
  const { permissions, principal } = body.data;
  const missing = watcherScopes.filter((scope) => !permissions.includes(scope));
  if (missing.length > 0) {
    const seen = `the key ${principal.name} may not ${missing.join(', ')}`;
    return [fail(name, seen, `give it these scopes, or make another key: ${renewal}`)];
  }
  return [
    pass(name, `${url} takes the key ${principal.name}`),
    ...judgeClocks(name, date, nowMs),
    ...judgeAgents(agents === null ? [] : [...agents.keys()], await ask('/agents?limit=200')),
  ];
}

function judgeAgents(
  wanted: readonly string[],
  answer: Awaited<ReturnType<typeof askService>>,
): Finding[] {
  if (answer.kind === 'silent' || !Value.Check(PageAnswer(ListedAgent), answer.body)) return [];
  const { data, next } = answer.body;
  const known = new Set(data.flatMap(({ agent_id: id, name: called }) => [id, called]));
  if (wanted.length === 0 && data.length === 0) {
    return [warn('watcher: agents', 'the vault has none', 'make one on the page, under Agents')];
  }
  // Those of further pages were not looked at.
  if (next !== null) return [];
  return wanted
    .filter((each) => !known.has(each))
    .map((each) =>
      warn(
        'watcher: agents',
        `AGENTS_FILE names ${each}, which the vault does not have, or not for this key`,
        'correct the name, or make the agent on the page',
      ),
    );
}
