// Writes one reply of the model stub as the Messages API would: server-sent events, or one JSON body.
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

import type {
  StubBlock,
  StubCut,
  StubError,
  StubHang,
  StubMessage,
  StubReply,
} from './model-stub-reply.ts';

export type StubExchange = {
  response: ServerResponse;
  /** The model the request asked for. */
  model: string;
  stream: boolean;
  /** Aborts when the client left or the stub is disposed. */
  signal: AbortSignal;
};

export async function writeReply(exchange: StubExchange, reply: StubReply): Promise<void> {
  switch (reply.kind) {
    case 'message':
      return exchange.stream ? streamMessage(exchange, reply) : writeMessage(exchange, reply);
    case 'error':
      return writeError(exchange.response, reply);
    case 'hang':
      return hang(exchange, reply);
    case 'cut':
      return cut(exchange, reply);
  }
}

export function writeJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  const requestId = `req_${randomUUID()}`;
  response.writeHead(status, {
    'content-type': 'application/json',
    'request-id': requestId,
    ...headers,
  });
  response.end(JSON.stringify(body));
}

export function writeError(response: ServerResponse, reply: StubError): void {
  const error = { type: reply.type, message: reply.message };
  writeJson(response, reply.status, { type: 'error', error }, reply.headers);
}

function writeMessage({ response, model }: StubExchange, reply: StubMessage): void {
  const message = messageHead(reply.model ?? model, reply.usage);
  writeJson(
    response,
    200,
    {
      ...message,
      content: reply.blocks.map((block) => wholeBlock(block)),
      stop_reason: reply.stopReason,
      usage: reply.usage,
    },
    reply.headers,
  );
}

async function streamMessage(exchange: StubExchange, reply: StubMessage): Promise<void> {
  startStream(exchange.response, reply.headers);
  startMessage(exchange, reply.model, reply.usage);
  for (let sent = 0; sent < reply.pings; sent += 1) sendEvent(exchange.response, 'ping', {});
  for (const [index, block] of reply.blocks.entries()) {
    await streamBlock(exchange, reply, block, index);
  }
  sendEvent(exchange.response, 'message_delta', {
    delta: { stop_reason: reply.stopReason, stop_sequence: null },
    usage: reply.usage,
  });
  sendEvent(exchange.response, 'message_stop', {});
  exchange.response.end();
}

async function streamBlock(
  exchange: StubExchange,
  reply: StubMessage,
  block: StubBlock,
  index: number,
): Promise<void> {
  const { response, signal } = exchange;
  sendEvent(response, 'content_block_start', { index, content_block: emptyBlock(block) });
  for (const delta of deltas(block, reply.chunkChars)) {
    if (reply.chunkDelayMs > 0) await sleep(reply.chunkDelayMs, undefined, { signal });
    const written = sendEvent(response, 'content_block_delta', { index, delta });
    if (!written) await once(response, 'drain', { signal });
  }
  sendEvent(response, 'content_block_stop', { index });
}

function* deltas(block: StubBlock, chunkChars: number): Generator<Record<string, string>> {
  const whole = block.type === 'text' ? block.text : JSON.stringify(block.input);
  for (let start = 0; start < whole.length;) {
    const end = wholeCharacterEnd(whole, start + chunkChars);
    const part = whole.slice(start, end);
    yield block.type === 'text'
      ? { type: 'text_delta', text: part }
      : { type: 'input_json_delta', partial_json: part };
    start = end;
  }
}

/** Never ends between the two halves of a surrogate pair. */
function wholeCharacterEnd(text: string, end: number): number {
  const unit = text.charCodeAt(end - 1);
  return unit >= 0xd800 && unit <= 0xdbff ? end + 1 : end;
}

async function hang(exchange: StubExchange, reply: StubHang): Promise<void> {
  const { response, signal } = exchange;
  if (reply.at !== 'no_headers') startStream(response);
  if (reply.at === 'message_start') startMessage(exchange, null);
  while (!signal.aborted) {
    await sleep(reply.pingEveryMs, undefined, { signal });
    if (reply.at === 'pings') sendEvent(response, 'ping', {});
  }
}

async function cut(exchange: StubExchange, reply: StubCut): Promise<void> {
  const { response } = exchange;
  if (!exchange.stream) return cutWithoutStream(response, reply);
  startStream(response);
  startMessage(exchange, null);
  sendEvent(response, 'content_block_start', {
    index: 0,
    content_block: { type: 'text', text: '' },
  });
  const delta = { type: 'text_delta', text: reply.text };
  const whole = new Promise((resolve) => {
    response.write(eventText('content_block_delta', { index: 0, delta }), resolve);
  });
  await whole;
  if (reply.delayMs > 0) await sleep(reply.delayMs, undefined, { signal: exchange.signal });
  switch (reply.how) {
    case 'reset':
      response.socket?.resetAndDestroy();
      return;
    case 'end':
      response.end();
      return;
    case 'error_event':
      sendEvent(response, 'error', { error: { type: 'overloaded_error', message: 'Overloaded' } });
      response.end();
  }
}

async function cutWithoutStream(response: ServerResponse, reply: StubCut): Promise<void> {
  response.writeHead(200, { 'content-type': 'application/json' });
  const start = `{"type":"message","content":[{"type":"text","text":${JSON.stringify(reply.text)}`;
  await new Promise((resolve) => {
    response.write(start, resolve);
  });
  if (reply.how === 'reset') response.socket?.resetAndDestroy();
  else response.end();
}

function startStream(response: ServerResponse, headers: Record<string, string> = {}): void {
  response.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-cache',
    'request-id': `req_${randomUUID()}`,
    ...headers,
  });
  response.flushHeaders();
}

function startMessage(
  exchange: StubExchange,
  model: string | null,
  usage: object = { input_tokens: 100, output_tokens: 1 },
): void {
  const message = messageHead(model ?? exchange.model, { ...usage, output_tokens: 1 });
  sendEvent(exchange.response, 'message_start', { message });
}

function messageHead(model: string, usage: object): Record<string, unknown> {
  return {
    id: `msg_${randomUUID()}`,
    type: 'message',
    role: 'assistant',
    model,
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage,
  };
}

function wholeBlock(block: StubBlock): object {
  return block.type === 'text' ? block : { ...block, id: `toolu_${randomUUID()}` };
}

function emptyBlock(block: StubBlock): object {
  if (block.type === 'text') return { type: 'text', text: '' };
  return { type: 'tool_use', id: `toolu_${randomUUID()}`, name: block.name, input: {} };
}

function sendEvent(response: ServerResponse, type: string, data: object): boolean {
  return response.write(eventText(type, data));
}

function eventText(type: string, data: object): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`;
}
