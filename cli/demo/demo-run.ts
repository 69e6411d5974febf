// One request of an app to the demo's gateway, as curl would make it.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { Type } from 'typebox';
import { Value } from 'typebox/value';

const Minted = Type.Object({ token: Type.String() });

/** A token for an app. */
export async function mintToken(gatewayUrl: string, dataDir: string): Promise<string> {
  const adminToken = (await readFile(join(dataDir, 'admin-token'), 'utf8')).trim();
  const answer = await post(`${gatewayUrl}/admin/tokens`, adminToken, { name: 'demo' });
  const minted: unknown = await answer.json();
  if (Value.Check(Minted, minted)) return minted.token;
  throw new Error(`no token for the demo: ${JSON.stringify(minted)}`);
}

/** The command, to be typed. */
export function curlOf(gatewayUrl: string, token: string, prompt: string): string {
  return [
    `curl -s ${gatewayUrl}/run -H 'Authorization: Bearer ${token}' \\`,
    `    -H 'Content-Type: application/json' -d '${JSON.stringify({ prompt })}'`,
  ].join('\n');
}

/** What it answers. Throws when the run was not answered. */
export async function showRun(gatewayUrl: string, token: string, prompt: string): Promise<string> {
  const answer = await post(`${gatewayUrl}/run`, token, { prompt });
  const text = JSON.stringify(await answer.json(), null, 2);
  if (!answer.ok) throw new Error(`the run of the demo was refused: ${text}`);
  return text;
}

function post(url: string, token: string, body: object): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
}
