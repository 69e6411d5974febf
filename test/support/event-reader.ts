// Reads server-sent events as they come, like an app that watches a run.
import { createParser } from 'eventsource-parser';
import { expect } from 'vitest';

export type SeenEvent = {
  id: number | null;
  type: string;
  // oxlint-disable-next-line typescript/no-explicit-any -- a test looks at what came, whatever it is
  data: any;
};

export type EventReader = AsyncDisposable & {
  response: Response;
  /** All so far. */
  events: SeenEvent[];
  comments: () => number;
  types: () => string[];
  /** Resolves when an event of this type has come. */
  until: (type: string) => Promise<SeenEvent>;
  /** Resolves when the stream has ended, well or not. */
  ended: Promise<void>;
  close: () => void;
};

export async function readEvents(
  url: string,
  token: string,
  init: RequestInit = {},
): Promise<EventReader> {
  const gone = new AbortController();
  const headers = {
    accept: 'text/event-stream',
    authorization: `Bearer ${token}`,
    ...(init.body === undefined ? {} : { 'content-type': 'application/json' }),
    ...(init.headers as Record<string, string> | undefined),
  };
  const response = await fetch(url, { ...init, headers, signal: gone.signal });
  const events: SeenEvent[] = [];
  let comments = 0;
  const parser = createParser({
    onEvent: ({ id, event, data }) => {
      events.push({
        id: id === undefined ? null : Number(id),
        type: event ?? 'message',
        data: JSON.parse(data),
      });
    },
    onComment: () => {
      comments += 1;
    },
  });
  const read = async (): Promise<void> => {
    const decoder = new TextDecoder();
    try {
      for await (const chunk of response.body ?? []) {
        parser.feed(decoder.decode(chunk, { stream: true }));
      }
    } catch {
      // Closed by the test, or cut off.
    }
  };
  const ended = read();
  return {
    response,
    events,
    comments: () => comments,
    types: () => events.map(({ type }) => type),
    async until(type) {
      const found = (): SeenEvent | undefined => events.find((event) => event.type === type);
      await expect.poll(found, { timeout: 15_000 }).toBeDefined();
      return found() as SeenEvent;
    },
    ended,
    close: () => gone.abort(),
    [Symbol.asyncDispose]: async () => {
      gone.abort();
      await ended;
    },
  };
}
