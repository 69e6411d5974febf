// Feeds as they grow, over one connection: to be opened again, from the last number, when it breaks.
import { createParser } from 'eventsource-parser';
import type { EventSourceMessage } from 'eventsource-parser';
import { Compile } from 'typebox/compile';

import { parseJson, VaultError, vaultSilent, vaultUnreachable } from './vault-client-error.ts';
import type { VaultConnection } from './vault-connection.ts';
import {
  EventView,
  peopleNotice,
  ReadMarkView,
  readNotice,
  stoppingNotice,
} from './vault-event-api.ts';

export type StreamStart = {
  /** All agents that one may see, unless it is said. */
  agentId?: string | undefined;
  /** The number of the last event that is known; without it, what comes from now on. */
  after?: number | undefined;
  signal?: AbortSignal | undefined;
  /** The vault answered: from here on, what comes is live. */
  onOpen?: () => void;
  /** What a person is told besides events, on a stream of all agents. */
  notices?: {
    /** They have read this far, here or elsewhere. */
    onRead: (mark: ReadMarkView) => void;
    /** Users, keys, invitations or sign-ins are other ones. */
    onPeople: () => void;
  };
};

const badEvent = 'An event of the stream is not as it should be.';

/** The vault's heartbeats come every ten seconds. */
const silenceMs = 30_000;

const eventCheck = Compile(EventView);
const readMarkCheck = Compile(ReadMarkView);

/** Throws VaultError when it breaks or falls silent, or what the signal was aborted with. It ends when the vault stops. */
export async function* streamEvents(
  connection: VaultConnection,
  { agentId, after, signal, onOpen, notices }: StreamStart,
): AsyncGenerator<EventView, void, undefined> {
  const whole = notices === undefined ? '/stream' : '/stream?notices=true';
  const path = agentId === undefined ? whole : `/agents/${encodeURIComponent(agentId)}/stream`;
  const headers = {
    accept: 'text/event-stream',
    ...(after === undefined ? {} : { 'last-event-id': String(after) }),
  };
  const response = await connection.open({ path, headers, signal });
  onOpen?.();
  for await (const { event, data } of messagesOf(response, signal)) {
    const view = parseJson(data);
    // Whatever its type is called: it is an event of a feed, which somebody has posted.
    if (eventCheck.Check(view)) yield view;
    else if (event === stoppingNotice) return;
    else if (event === readNotice && readMarkCheck.Check(view)) notices?.onRead(view);
    else if (event === peopleNotice) notices?.onPeople();
    else throw new VaultError('bad_answer', badEvent, { status: 200, retryable: false });
  }
}

async function* messagesOf(
  { body }: Response,
  signal: AbortSignal | undefined,
): AsyncGenerator<EventSourceMessage, void, undefined> {
  if (body === null) return;
  const reader = body.getReader();
  const decoder = new TextDecoder();
  const messages: EventSourceMessage[] = [];
  const parser = createParser({ onEvent: (message) => void messages.push(message) });
  try {
    for (;;) {
      const { done, value } = await heard(reader.read());
      if (done) return;
      parser.feed(decoder.decode(value, { stream: true }));
      yield* messages.splice(0);
    }
  } catch (err) {
    signal?.throwIfAborted();
    throw err instanceof VaultError ? err : vaultUnreachable(err);
  } finally {
    await reader.cancel().catch(() => {});
  }
}

async function heard<T>(read: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(vaultSilent(silenceMs)), silenceMs);
  try {
    return await Promise.race([read, promise]);
  } finally {
    clearTimeout(timer);
  }
}
