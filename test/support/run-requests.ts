// Requests of an app about runs, where more than a prompt is to be said.
import type { Answer, GatewayClient } from './gateway-client.ts';

export function post(
  token: string,
  body: object,
  headers: Record<string, string> = {},
): RequestInit {
  return {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  };
}

export function submit(gateway: GatewayClient, token: string, body: object): Promise<Answer> {
  return gateway.fetch('/runs', post(token, body));
}

/** Waits for the end of a run and gives it as its app sees it. */
export async function untilEnded(gateway: GatewayClient, token: string, runId: string) {
  const headers = { authorization: `Bearer ${token}` };
  return (await gateway.fetch(`/runs/${runId}?wait=30`, { headers })).body;
}
