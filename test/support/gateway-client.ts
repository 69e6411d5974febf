// How tests talk to a gateway: as an app and as its admin, over HTTP.
export type Answer = {
  status: number;
  headers: Headers;
  // oxlint-disable-next-line typescript/no-explicit-any -- a test looks at what came, whatever it is
  body: any;
  text: string;
};

export type CallOptions = {
  body?: unknown;
  method?: string;
  headers?: Record<string, string>;
  signal?: AbortSignal;
};

export type GatewayClient = {
  url: string;
  fetch: (path: string, init?: RequestInit) => Promise<Answer>;
  /** As the admin; a body makes it a POST. */
  admin: (path: string, body?: unknown, method?: string) => Promise<Answer>;
  mint: (name: string, fields?: Record<string, unknown>) => Promise<string>;
  run: (token: string, body: Record<string, unknown>, signal?: AbortSignal) => Promise<Answer>;
  /** Any route, as an app; a body makes it a POST. */
  as: (token: string, path: string, options?: CallOptions) => Promise<Answer>;
  /** POST /runs; gives the id of the accepted run. */
  submit: (token: string, body: Record<string, unknown>) => Promise<string>;
  /** Waits until the run has ended. */
  ended: (token: string, runId: string) => Promise<Answer['body']>;
  /** Newest first. */
  // oxlint-disable-next-line typescript/no-explicit-any -- as above
  audit: (query?: string) => Promise<any[]>;
};

export function createGatewayClient(url: string, adminToken: string): GatewayClient {
  const call = async (path: string, init?: RequestInit): Promise<Answer> => {
    const response = await fetch(`${url}${path}`, init);
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, body: parse(text) };
  };
  const as: GatewayClient['as'] = (token, path, { body, method, headers, signal } = {}) => {
    const init = withJson(token, body, method ?? (body === undefined ? 'GET' : 'POST'), signal);
    return call(path, { ...init, headers: { ...(init.headers as object), ...headers } });
  };
  const admin: GatewayClient['admin'] = (path, body, method) =>
    call(path, withJson(adminToken, body, method ?? (body === undefined ? 'GET' : 'POST')));
  return {
    url,
    fetch: call,
    admin,
    async mint(name, fields = {}) {
      const answer = await admin('/admin/tokens', { name, ...fields });
      if (answer.status !== 201) throw new Error(`no token: ${answer.text}`);
      return answer.body.token;
    },
    run: (token, body, signal) => call('/run', withJson(token, body, 'POST', signal)),
    as,
    async submit(token, body) {
      const answer = await as(token, '/runs', { body });
      if (answer.status !== 202) throw new Error(`not accepted: ${answer.text}`);
      return answer.body.run_id;
    },
    async ended(token, runId) {
      for (;;) {
        const { body } = await as(token, `/runs/${runId}?wait=20`);
        if (body.status === 'ended') return body;
        if (body.status === undefined) throw new Error(`no such run: ${JSON.stringify(body)}`);
      }
    },
    async audit(query = '') {
      const answer = await admin(`/admin/audit${query}`);
      return answer.body.items;
    },
  };
}

function withJson(token: string, body: unknown, method: string, signal?: AbortSignal): RequestInit {
  return {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...(signal === undefined ? {} : { signal }),
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
