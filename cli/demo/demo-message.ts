// One message on the demo's page and its answer, as the page would have them.
import { Type } from 'typebox';

import { Answer } from '#shared/vault-api.ts';
import { createVaultClient } from '#shared/vault-client.ts';
import { createVaultConnection } from '#shared/vault-connection.ts';
import { SignedIn } from '#shared/vault-identity-api.ts';

import type { DemoAccount } from './demo-account.ts';

/** Gives the agent's name and its answer. Throws when there is none within `patienceMs`. */
export async function askAgent(
  vaultUrl: string,
  { name, password }: DemoAccount,
  content: string,
  patienceMs: number,
): Promise<{ agent: string; answer: string }> {
  const nobody = createVaultConnection({ url: vaultUrl, token: () => null });
  const signIn = { method: 'POST', path: '/auth/login', json: { name, password } } as const;
  const { data } = await nobody.ask(signIn, Answer(SignedIn));
  const person = { url: vaultUrl, token: () => data.access_token };
  const vault = createVaultClient(person);
  const [agent] = await vault.agents();
  if (agent === undefined) throw new Error('the demo has no agent');
  const asked = await createVaultConnection(person).ask(
    {
      ...{ method: 'POST', path: `/agents/${agent.agent_id}/events` },
      json: { event_type: 'user_message', content },
    },
    Answer(Type.Object({ event_id: Type.String(), seq: Type.Integer() })),
  );
  const { event_id: eventId, seq } = asked.data;
  const signal = AbortSignal.timeout(patienceMs);
  const start = { agentId: agent.agent_id, after: seq, signal };
  for await (const event of vault.stream(start)) {
    if (event.reply_to !== eventId) continue;
    if (event.event_type === 'assistant_message') {
      return { agent: agent.name, answer: event.content };
    }
    if (event.event_type === 'system') throw new Error(event.content);
  }
  throw new Error('the vault stopped before the answer was there');
}
