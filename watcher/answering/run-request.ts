// What the gateway is asked for a message: its text, its files, in the session of its conversation.
import type { GatewayClient } from '#shared/gateway-client.ts';
import type { RunRequest } from '#shared/gateway-run-api.ts';
import type { VaultClient } from '#shared/vault-client.ts';
import type { AttachmentView } from '#shared/vault-event-api.ts';

import type { WatchedAgent } from '../agent-roster.ts';
import type { Message } from '../journal/journal-store.ts';
import type { Journal } from '../journal/journal.ts';

export type RequestParts = {
  gateway: Pick<GatewayClient, 'createSession' | 'upload'>;
  vault: Pick<VaultClient, 'attachment'>;
  journal: Pick<Journal, 'session' | 'putSession'>;
};

/** Throws what the clients throw. */
export async function buildRunRequest(
  parts: RequestParts,
  message: Message,
  agent: WatchedAgent,
  signal: AbortSignal,
): Promise<RunRequest> {
  const { settings } = agent;
  const files = await passFiles(parts, message, signal);
  const fixed =
    settings.session === 'none'
      ? withoutUndefined({ model: settings.model, system: settings.system })
      : { session_id: await sessionOf(parts, message, agent, signal) };
  return {
    // A message may consist of files alone.
    prompt: message.content.trim() === '' ? 'See the files.' : message.content,
    ...fixed,
    ...(files.length === 0 ? {} : { files }),
    ...withoutUndefined({ timeout_secs: settings.timeout_secs }),
    metadata: { agent: agent.agentId, event: message.eventId },
  };
}

async function sessionOf(
  { gateway, journal }: RequestParts,
  { conversation }: Message,
  { agentId, settings }: WatchedAgent,
  signal: AbortSignal,
): Promise<string> {
  const known = journal.session(conversation);
  if (known !== null) return known;
  const { model, system, workspace } = settings;
  const wanted = {
    ...withoutUndefined({ model, system, workspace }),
    metadata: { agent: agentId },
  };
  const { session_id: sessionId } = await gateway.createSession(wanted, { signal });
  await journal.putSession(conversation, sessionId);
  return sessionId;
}

async function passFiles(
  { gateway, vault }: RequestParts,
  message: Message,
  signal: AbortSignal,
): Promise<string[]> {
  const attachments: AttachmentView[] = JSON.parse(message.attachments);
  const tokens: string[] = [];
  for (const { attachment_id: id, name } of attachments) {
    const response = await vault.attachment(id, { signal });
    const bytes = new Uint8Array(await response.arrayBuffer());
    const { file_token: token } = await gateway.upload(bytes, { name, signal });
    tokens.push(token);
  }
  return tokens;
}

function withoutUndefined<T extends Record<string, unknown>>(
  fields: T,
): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const given = Object.entries(fields).filter(([, value]) => value !== undefined);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what was filtered is what the type says
  return Object.fromEntries(given) as { [K in keyof T]?: Exclude<T[K], undefined> };
}
