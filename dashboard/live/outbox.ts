// Messages on their way: sent until the vault has them, each under one key however often that takes.
import { VaultError } from '#shared/vault-client-error.ts';
import type { AttachmentView, EventRequest, EventView } from '#shared/vault-event-api.ts';

import { failureText } from '../vault/failure-text.ts';
import { randomId } from '../vault/random-id.ts';
import { createStore } from '../vault/store.ts';
import type { Store } from '../vault/store.ts';

export type Outgoing = {
  key: string;
  agentId: string;
  content: string;
  attachments: readonly AttachmentView[];
  /** Null while it is being sent. */
  failure: string | null;
  /** It goes by itself when the vault is back. */
  waitsForVault: boolean;
};

export type Outbox = {
  messages: Store<readonly Outgoing[]>;
  send: (agentId: string, content: string, attachments: readonly AttachmentView[]) => void;
  retry: (key: string) => void;
  drop: (key: string) => void;
  /** The vault is back. */
  retryWaiting: () => void;
};

export function createOutbox(
  post: (agentId: string, event: EventRequest, key: string) => Promise<EventView>,
  onPosted: (event: EventView) => void,
): Outbox {
  const messages = createStore<readonly Outgoing[]>([]);
  /** One after the other, so that they arrive in the order in which they were written. */
  const lines = new Map<string, Promise<void>>();

  const change = (key: string, fields: Partial<Outgoing>): void =>
    messages.set(messages.get().map((each) => (each.key === key ? { ...each, ...fields } : each)));
  const drop = (key: string): void =>
    messages.set(messages.get().filter((each) => each.key !== key));
  const deliver = async (key: string): Promise<void> => {
    const message = messages.get().find((each) => each.key === key);
    if (message === undefined) return;
    const { agentId, content, attachments } = message;
    const files = attachments.map(({ attachment_id: id }) => id);
    const event = {
      ...{ event_type: 'user_message', content },
      ...(files.length === 0 ? {} : { attachments: files }),
    };
    try {
      onPosted(await post(agentId, event, key));
      drop(key);
    } catch (err) {
      const waitsForVault = err instanceof VaultError && err.status === null;
      change(key, { failure: failureText(err), waitsForVault });
    }
  };
  const begin = (key: string, agentId: string): void => {
    const line = (lines.get(agentId) ?? Promise.resolve()).then(() => deliver(key));
    lines.set(agentId, line);
  };
  const retry = (key: string): void => {
    const message = messages.get().find((each) => each.key === key);
    if (message?.failure == null) return;
    change(key, { failure: null, waitsForVault: false });
    begin(key, message.agentId);
  };
  return {
    messages,
    send(agentId, content, attachments) {
      const key = randomId();
      const outgoing = { key, agentId, content, attachments, failure: null, waitsForVault: false };
      messages.set([...messages.get(), outgoing]);
      begin(key, agentId);
    },
    retry,
    drop,
    retryWaiting() {
      for (const { key, waitsForVault } of messages.get()) if (waitsForVault) retry(key);
    },
  };
}
