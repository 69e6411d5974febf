// Many runs of an app, so many at a time, over connections that are closed afterwards.
import { Agent, request } from 'undici';

export type CrowdOptions = { runs: number; together: number };

/** Throws unless every run completes. */
export async function runCrowd(
  url: string,
  token: string,
  { runs, together }: CrowdOptions,
): Promise<void> {
  const dispatcher = new Agent({ connections: together });
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const body = JSON.stringify({ prompt: 'Say ok.' });
  let left = runs;
  const member = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      const answer = await request(`${url}/run`, { method: 'POST', headers, body, dispatcher });
      const text = await answer.body.text();
      if (answer.statusCode !== 200) throw new Error(`a run failed: ${text}`);
    }
  };
  try {
    await Promise.all(Array.from({ length: together }, member));
  } finally {
    await dispatcher.close();
  }
}
