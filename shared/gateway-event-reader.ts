// The events of a run as one sequence, however often the connection breaks: none twice, none lost, up to the last.
import { createParser } from 'eventsource-parser';
import type { EventSourceMessage } from 'eventsource-parser';
import { Compile } from 'typebox/compile';

import type { Clock } from './clock.ts';
import {
  badAnswer,
  GatewayError,
  isWorthRepeating,
  parseJson,
  unreachable,
} from './gateway-client-error.ts';
import type { GatewayConnection } from './gateway-connection.ts';
import { isLastRunEvent, runEventData, shutdownEvent } from './gateway-event-api.ts';
import type { RunEventData, RunEventType } from './gateway-event-api.ts';
import { pathOfRun } from './gateway-path.ts';
import type { Patience } from './retry-patience.ts';

type KnownRunEvent = {
  [T in RunEventType]: { type: T; id: number; data: RunEventData[T] };
}[RunEventType];

/** `unknown` is one that this client was not made for: `name` is its type. */
export type RunEvent = KnownRunEvent | { type: 'unknown'; id: number; name: string; data: unknown };

export type EventReaderParts = {
  connection: GatewayConnection;
  newPatience: () => Patience;
  clock: Clock;
};

export type EventReading = {
  runId: string;
  /** The `id` of the last event that is known already. */
  after: number;
  signal?: AbortSignal | undefined;
};

/** A connection that stood so long was a good one, also where nothing happened. */
const goodConnectionMs = 10_000;

/** Throws GatewayError when there is no more hope, or what the signal was aborted with. */
export async function* readRunEvents(
  { connection, newPatience, clock }: EventReaderParts,
  { runId, after, signal }: EventReading,
): AsyncGenerator<RunEvent, void, undefined> {
  const patience = newPatience();
  let lastId = after;
  for (;;) {
    const openedAt = clock.monotonicMs();
    try {
      for await (const event of eventsOfConnection(connection, { runId, after: lastId, signal })) {
        if (event.id <= lastId) continue;
        lastId = event.id;
        patience.reset();
        yield event;
        if (isLastRunEvent(event.type)) return;
      }
      return;
    } catch (err) {
      signal?.throwIfAborted();
      if (!isWorthRepeating(err)) throw err;
      if (clock.monotonicMs() - openedAt >= goodConnectionMs) patience.reset();
      await patience.afterFailure(err, signal);
    }
  }
}

/** Ends when there is nothing after that event; throws when it breaks off. */
async function* eventsOfConnection(
  connection: GatewayConnection,
  { runId, after, signal }: EventReading,
): AsyncGenerator<RunEvent, void, undefined> {
  using exchange = await connection.open({
    ...{ method: 'GET', path: `${pathOfRun(runId)}/events`, signal },
    headers: {
      accept: 'text/event-stream',
      ...(after > 0 ? { 'last-event-id': String(after) } : {}),
    },
  });
  const { status, headers, chunks } = exchange;
  if (status !== 204 && headers['content-type']?.startsWith('text/event-stream') !== true) {
    throw badAnswer('it is no stream of events', status);
  }
  for await (const message of messagesOf(chunks())) {
    if (message.event === shutdownEvent) throw stopping(message.data);
    const event = eventOf(message);
    if (event !== null) yield event;
  }
  if (status !== 204) throw unreachable(new Error('the events ended before the last one'));
}

async function* messagesOf(
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<EventSourceMessage, void, undefined> {
  const decoder = new TextDecoder();
  const messages: EventSourceMessage[] = [];
  const parser = createParser({ onEvent: (message) => void messages.push(message) });
  for await (const chunk of chunks) {
    parser.feed(decoder.decode(chunk, { stream: true }));
    yield* messages.splice(0);
  }
}

const validators = new Map(
  Object.entries(runEventData).map(([type, schema]) => [type, Compile(schema)]),
);

/** Null for one without a number: it is about the connection, not about the run. */
function eventOf({ event: type = 'message', id: idText, data: text }: EventSourceMessage) {
  const id = /^\d{1,15}$/.test(idText ?? '') ? Number(idText) : null;
  if (id === null) return null;
  const data = parseJson(text);
  if (!validators.has(type)) return { type: 'unknown' as const, id, name: type, data };
  const event = { type, id, data };
  if (isKnown(event)) return event;
  throw badAnswer(`the data of its event ${id}, ${type}, is not as it should be`, 200);
}

function isKnown(event: { type: string; id: number; data: unknown }): event is KnownRunEvent {
  return validators.get(event.type)?.Check(event.data) === true;
}

function stopping(text: string): GatewayError {
  const data = parseJson(text);
  const asked =
    typeof data === 'object' && data !== null && 'retry_after_secs' in data
      ? Number(data.retry_after_secs)
      : Number.NaN;
  const retryAfterSecs = Number.isFinite(asked) ? asked : undefined;
  const facts = { status: 503, retryable: true, retryAfterSecs };
  return new GatewayError('draining', 'The gateway is stopping.', facts);
}
