// An offline stand-in for the Anthropic Messages API on loopback: the demo, tests and benchmarks use it.
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';

import { echoReply, errorReply } from './model-stub-reply.ts';
import type { StubReply } from './model-stub-reply.ts';
import { describeRequest, modelOf, readBody } from './model-stub-request.ts';
import type { StubRequest } from './model-stub-request.ts';
import { writeError, writeJson, writeReply } from './model-stub-stream.ts';

export type StubReplyFunction = (
  request: StubRequest,
  /** How many model calls came before this one. */
  index: number,
) => StubReply | Promise<StubReply>;

export type ModelStub = {
  url: string;
  /** Every request on any path, in order of arrival. */
  requests: StubRequest[];
  /** Only the model calls: POST /v1/messages. */
  calls: StubRequest[];
  [Symbol.asyncDispose]: () => Promise<void>;
};

export async function startModelStub(
  options: { port?: number; reply?: StubReplyFunction } = {},
): Promise<ModelStub> {
  const reply = options.reply ?? echoReply;
  const requests: StubRequest[] = [];
  const calls: StubRequest[] = [];
  const server = createServer((incoming, response) => {
    answer(incoming, response).catch((err: unknown) => {
      if (!response.destroyed) response.destroy(err instanceof Error ? err : undefined);
    });
  });

  async function answer(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const gone = new AbortController();
    const closed = new Promise<'answered' | 'aborted'>((resolve) => {
      response.once('close', () => {
        gone.abort();
        resolve(response.writableFinished ? 'answered' : 'aborted');
      });
    });
    const request = describeRequest(incoming, await readBody(incoming), closed);
    requests.push(request);
    if (!isModelCall(request)) return answerElsewhere(request, response);
    const chosen = await reply(request, calls.push(request) - 1);
    const stream = request.body?.['stream'] === true;
    const exchange = { response, model: modelOf(request), stream, signal: gone.signal };
    await writeReply(exchange, chosen);
  }

  const url = await listen(server, options.port ?? 0);
  return { url, requests, calls, [Symbol.asyncDispose]: () => closeServer(server) };
}

function isModelCall(request: StubRequest): boolean {
  return request.method === 'POST' && pathname(request) === '/v1/messages';
}

function answerElsewhere(request: StubRequest, response: ServerResponse): void {
  if (pathname(request) === '/') return writeJson(response, 200, {});
  if (pathname(request) === '/v1/messages/count_tokens') {
    return writeJson(response, 200, { input_tokens: Math.ceil(request.bodyBytes / 4) });
  }
  if (pathname(request) === '/v1/models') {
    return writeJson(response, 200, { data: [], has_more: false, first_id: null, last_id: null });
  }
  writeError(response, errorReply(404, `The stub knows no ${request.method} ${request.path}.`));
}

function pathname(request: StubRequest): string {
  return request.path.split('?', 1)[0] ?? '/';
}

async function listen(server: Server, port: number): Promise<string> {
  server.requestTimeout = 0;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string')
    throw new Error('the model stub has no port');
  return `http://127.0.0.1:${address.port}`;
}

async function closeServer(server: Server): Promise<void> {
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
