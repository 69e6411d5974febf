// Whether the watcher's token opens the gateway, and may what AGENTS_FILE asks for.
import { Value } from 'typebox/value';

import { AppSelf } from '#shared/gateway-app-api.ts';

import { fail, pass } from '../finding.ts';
import type { Finding } from '../finding.ts';
import { askService } from '../service-answer.ts';
import { judgeClocks, judgeReach } from './link-facts.ts';
import type { LinkFacts } from './link-facts.ts';

const name = 'watcher to gateway';
const renewal =
  'npm run rotate makes another token where npm start runs; else make one with POST /admin/tokens';

export async function checkGatewayLink(
  { config, secrets, agents, isRunning }: LinkFacts,
  nowMs: number,
): Promise<Finding[]> {
  const url = config.gatewayUrl;
  const answer = await askService(`${url.replace(/\/+$/, '')}/me`, secrets.gatewayToken);
  const words = { name, url, service: 'gateway', secret: "the watcher's token", renewal };
  const refusal = judgeReach(words, answer, isRunning);
  if (refusal !== null || answer.kind === 'silent') return refusal === null ? [] : [refusal];
  const { body, date } = answer;
  if (!Value.Check(AppSelf, body)) {
    return [fail(name, `${url} is no gateway of this version`, 'update both to the same version')];
  }
  const granted = new Set(body.limits.workspaces.map((workspace) => workspace.name));
  const refused = [...(agents ?? [])].filter(
    ([, { workspace }]) => workspace !== undefined && !granted.has(workspace),
  );
  return [
    pass(name, `${url} takes the token of ${body.name}`),
    ...judgeClocks(name, date, nowMs),
    ...refused.map(([agent, { workspace }]) =>
      fail(
        name,
        `${agent} is to work in ${workspace}, which ${body.name} was not granted`,
        `PATCH /admin/tokens/${body.name} {"workspaces": [...]} with it, and name it in WORKSPACES`,
      ),
    ),
  ];
}
