// What the model stub can answer: a closed union, its constructors, and the answer it gives unasked.
import { isRecord, modelOf, toolSchema, userText } from './model-stub-request.ts';
import type { StubRequest } from './model-stub-request.ts';
import { minimalValue } from './model-stub-schema.ts';

export type StubBlock =
  | { type: 'text'; text: string }
  | { type: 'tool_use'; name: string; input: unknown };

export type StubUsage = {
  input_tokens: number;
  output_tokens: number;
  cache_creation_input_tokens: number;
  cache_read_input_tokens: number;
};

export type StubMessage = {
  kind: 'message';
  blocks: StubBlock[];
  stopReason: string;
  /** The model id that claims to answer; null = the one asked for. */
  model: string | null;
  usage: StubUsage;
  /** A text is streamed in deltas of this many UTF-16 units. */
  chunkChars: number;
  chunkDelayMs: number;
  /** So many pings before the first block. */
  pings: number;
  headers: Record<string, string>;
};

export type StubError = {
  kind: 'error';
  status: number;
  type: string;
  message: string;
  headers: Record<string, string>;
};

/** Silence: before the response headers, after them, after message_start, or with pings for ever. */
export type StubHang = {
  kind: 'hang';
  at: 'no_headers' | 'headers' | 'message_start' | 'pings';
  pingEveryMs: number;
};

/** A stream that ends inside its first text block: TCP reset, clean end, or an SSE `error` event. */
export type StubCut = {
  kind: 'cut';
  text: string;
  how: 'reset' | 'end' | 'error_event';
  /** Between the text and the cut: without it a reset may overtake the text. */
  delayMs: number;
};

export type StubReply = StubMessage | StubError | StubHang | StubCut;

type MessageOptions = Partial<Omit<StubMessage, 'kind' | 'blocks' | 'usage'>> & {
  usage?: Partial<StubUsage>;
};

export function messageReply(blocks: StubBlock[], options: MessageOptions = {}): StubMessage {
  const usesTool = blocks.some((block) => block.type === 'tool_use');
  return {
    kind: 'message',
    blocks,
    stopReason: options.stopReason ?? (usesTool ? 'tool_use' : 'end_turn'),
    model: options.model ?? null,
    usage: {
      input_tokens: 100,
      output_tokens: 20,
      cache_creation_input_tokens: 0,
      cache_read_input_tokens: 0,
      ...options.usage,
    },
    chunkChars: options.chunkChars ?? 4096,
    chunkDelayMs: options.chunkDelayMs ?? 0,
    pings: options.pings ?? 0,
    headers: options.headers ?? {},
  };
}

/** One text block per text; no text at all is an answer with empty content. */
export function textReply(texts: string | string[], options: MessageOptions = {}): StubMessage {
  const list = typeof texts === 'string' ? [texts] : texts;
  return messageReply(
    list.map((text) => ({ type: 'text', text })),
    options,
  );
}

export function toolReply(name: string, input: unknown, options: MessageOptions = {}): StubMessage {
  return messageReply([{ type: 'tool_use', name, input }], options);
}

export function structuredReply(input: unknown, options: MessageOptions = {}): StubMessage {
  return toolReply('StructuredOutput', input, options);
}

const errorTypes: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  529: 'overloaded_error',
};

export function errorReply(
  status: number,
  message = `The stub answers ${status}.`,
  options: { type?: string; headers?: Record<string, string> } = {},
): StubError {
  const type = options.type ?? errorTypes[status] ?? 'api_error';
  return { kind: 'error', status, type, message, headers: options.headers ?? {} };
}

/** Headers about the subscription's windows, such as `{ status: 'rejected', '5h-utilization': '1' }`. */
export function limitHeaders(fields: Record<string, string | number>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      `anthropic-ratelimit-unified-${name}`,
      String(value),
    ]),
  );
}

export function hangReply(at: StubHang['at'], pingEveryMs = 1000): StubHang {
  return { kind: 'hang', at, pingEveryMs };
}

export function cutReply(how: StubCut['how'], text = 'This answer is cut', delayMs = 0): StubCut {
  return { kind: 'cut', how, text, delayMs };
}

/** Echoes the question, or calls StructuredOutput with a minimal object when a schema was given. */
export function echoReply(request: StubRequest): StubReply {
  const schema = toolSchema(request, 'StructuredOutput');
  if (schema !== undefined) {
    const value = minimalValue(schema);
    return structuredReply(isRecord(value) ? value : {});
  }
  return textReply(
    `This is Gatehouse's offline model stub, not a real model. ${modelOf(request)} was asked: ${userText(request)}`,
  );
}
