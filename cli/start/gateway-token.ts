// The watcher's token at the gateway: made, or made anew, with the gateway's own admin token.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { StartError } from '#shared/errors.ts';

const name = 'watcher';

/** The gateway is running. Throws StartError when it gives none. */
export async function makeGatewayToken(
  url: string,
  admin: { dataDir: string; bootstrapToken: string | null },
  overlapSecs: number,
): Promise<string> {
  const token =
    admin.bootstrapToken ?? readFileSync(join(admin.dataDir, 'admin-token'), 'utf8').trim();
  const ask = (path: string, body: object): Promise<Response> =>
    fetch(`${url}${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  const made = await ask('/admin/tokens', { name });
  const answer =
    made.status === 409
      ? await ask(`/admin/tokens/${name}/rotate`, { overlap_secs: overlapSecs })
      : made;
  const body: unknown = await answer.json();
  if (typeof body === 'object' && body !== null && 'token' in body) return String(body.token);
  if (answer.status === 403) {
    const { hostname } = new URL(url);
    throw new StartError(
      `the gateway lets nobody in from ${hostname}, where npm start and the watcher are: add ${hostname} to ALLOW_CIDRS`,
    );
  }
  throw new StartError(`the gateway gives the watcher no token: ${JSON.stringify(body)}`);
}
