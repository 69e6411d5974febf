// An HTTP proxy before a vault or a gateway that answers in its place, loses answers, or is away.
import { once } from 'node:events';
import { createServer, request as ask } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';

export type Fault = {
  method: string;
  /** Of the path with its query. */
  path: RegExp;
  times: number;
  /** What is answered instead; `lost`: it is done, and the answer does not arrive. */
  how: 'lost' | { status: number; headers?: Record<string, string>; body?: unknown };
};

export type FaultyService = AsyncDisposable & {
  url: string;
  /** "POST /path", in order of arrival. */
  requests: () => string[];
  failNext: (fault: Fault) => void;
  /** Every connection is cut, new ones at once, until it is back. */
  goAway: () => void;
  comeBack: (url?: string) => void;
};

export async function startFaultyService(serviceUrl: string): Promise<FaultyService> {
  let target = new URL(serviceUrl);
  let isAway = false;
  const requests: string[] = [];
  const faults: Fault[] = [];
  const open = new Set<ServerResponse>();

  const faultFor = ({ method = '', url = '' }: IncomingMessage): Fault | undefined => {
    const fault = faults.find(
      (each) => each.times > 0 && each.method === method && each.path.test(url),
    );
    if (fault !== undefined) fault.times -= 1;
    return fault;
  };
  const server = createServer((incoming, response) => {
    if (isAway) return void incoming.socket.destroy();
    requests.push(`${incoming.method} ${incoming.url}`);
    open.add(response);
    response.on('close', () => open.delete(response));
    const fault = faultFor(incoming);
    if (fault !== undefined && fault.how !== 'lost') {
      const { status, headers = {}, body = {} } = fault.how;
      incoming.resume();
      response.writeHead(status, { 'content-type': 'application/json', ...headers });
      return void response.end(JSON.stringify(body));
    }
    const { method, url: path, headers } = incoming;
    const { hostname, port, host } = target;
    const options = { hostname, port, method, path, headers: { ...headers, host } };
    const forwarded = ask(options, (answer) => {
      if (fault?.how === 'lost') {
        answer.resume();
        answer.once('end', () => incoming.socket.destroy());
        return;
      }
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.on('error', () => response.destroy());
      answer.pipe(response);
    });
    forwarded.on('error', () => response.destroy());
    response.on('close', () => forwarded.destroy());
    incoming.pipe(forwarded);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    requests: () => requests,
    failNext: (fault) => void faults.push(fault),
    goAway() {
      isAway = true;
      for (const response of open) response.destroy();
    },
    comeBack(url) {
      if (url !== undefined) target = new URL(url);
      isAway = false;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** As the vault says it. */
export function vaultRefusal(
  status: number,
  code: string,
  retryAfterSecs?: number,
): Exclude<Fault['how'], 'lost'> {
  return {
    status,
    headers: retryAfterSecs === undefined ? {} : { 'retry-after': String(retryAfterSecs) },
    body: {
      success: false,
      error: { code, message: `the proxy of the test says ${code}`, retryable: status >= 429 },
      request_id: 'req_of_the_test',
    },
  };
}
