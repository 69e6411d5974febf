// How tests talk to a gateway: as an app and as its admin, over HTTP.
export type Answer = {
  status: number;
  headers: Headers;
  // oxlint-disable-next-line typescript/no-explicit-any -- a test looks at what came, whatever it is
  body: any;
  text: string;
};

export type GatewayClient = {
  url: string;
  fetch: (path: string, init?: RequestInit) => Promise<Answer>;
  /** As the admin; a body makes it a POST. */
  admin: (path: string, body?: unknown, method?: string) => Promise<Answer>;
  mint: (name: string, fields?: Record<string, unknown>) => Promise<string>;
  run: (token: string, body: Record<string, unknown>, signal?: AbortSignal) => Promise<Answer>;
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
