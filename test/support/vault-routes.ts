// Every route of the vault by its document, and whoever sends it a request.
import type { ApiOperation } from '#shared/api-document/openapi.ts';

import { isPermission } from '../../vault/permission/permission.ts';
import type { Permission } from '../../vault/permission/permission.ts';
import type { DocumentedOperation } from './committed-api.ts';
import { vaultApi } from './vault-api.ts';
import type { VaultDatabase } from './vault-databases.ts';
import { goodRequests } from './vault-good-requests.ts';
import type { GoodRequest } from './vault-good-requests.ts';
import { startTestVault } from './vault-world.ts';
import type { TestVault, TestVaultOptions } from './vault-world.ts';

export type RouteAnswer = {
  status: number;
  headers: Headers;
  text: string;
  // oxlint-disable-next-line typescript/no-explicit-any -- a test looks at what came, whatever it is
  body: any;
};

export type RouteWorld = TestVault & {
  /** Of an admin, who made all that the requests name. */
  admin: { token: string; userId: string; familyId: string };
  /** A request that the admin, or whose token it is, may make and that finds all it needs, made anew for each use. */
  goodRequest: (route: DocumentedOperation, token?: string | null) => Promise<GoodRequest>;
  send: (route: DocumentedOperation, request: GoodRequest, sender: Sender) => Promise<RouteAnswer>;
  auditCount: () => Promise<number>;
};

export type Sender = {
  token: string | null;
  /** The address that a request seems to come from; wrong tokens are counted by it. */
  from?: string;
};

export const vaultRoutes = vaultApi.operations;

/** Works once in the life of a vault, before there is any user: `firstStart` of route-answers.test.ts. */
export const setupRoute = 'POST /api/v1/auth/setup';

export async function startRouteWorld(
  kind: VaultDatabase,
  { withoutUsers = false, ...options }: TestVaultOptions & { withoutUsers?: boolean } = {},
): Promise<RouteWorld> {
  const world = await startTestVault(kind, options);
  const nobody = { token: '', userId: '', familyId: '' };
  const admin = withoutUsers ? nobody : await world.person('admin', 'admin');
  return {
    ...{ ...world, admin },
    async goodRequest({ name }, token = admin.token) {
      const make = goodRequests[name];
      if (make === undefined) throw new Error(`test/support/vault-good-requests.ts has no ${name}`);
      return make({ ...world, admin, token: token ?? admin.token });
    },
    send: async (route, request, sender) =>
      isStream(route) && sender.from === undefined
        ? sendToStream(world, route, request, sender)
        : inject(world, route, request, sender),
    async auditCount() {
      const { count } = await world.vault.database.reads
        .selectFrom('auditLog')
        .select((eb) => eb.fn.countAll().as('count'))
        .executeTakeFirstOrThrow();
      return Number(count);
    },
  };
}

/** What the route asks for; null for a public one. */
export function permissionOf({ security = [] }: ApiOperation): Permission | null {
  const [permission = null] = Object.values(security[0] ?? {})[0] ?? [];
  if (permission === null) return null;
  if (!isPermission(permission)) throw new Error(`${permission} is no permission`);
  return permission;
}

let addresses = 0;
/** Of this machine, for one request: wrong tokens are counted by the address they come from. */
export function freshAddress(): string {
  addresses += 1;
  return `127.1.${addresses >> 8}.${addresses & 255}`;
}

export function isStream({ operation }: DocumentedOperation): boolean {
  return vaultApi.answerOf(operation, 200)?.content?.['text/event-stream'] !== undefined;
}

export function takesJson({ operation }: DocumentedOperation): boolean {
  return operation.requestBody?.content['application/json'] !== undefined;
}

export function takesHeader({ operation }: DocumentedOperation, name: string): boolean {
  const $ref = `#/components/parameters/${name}`;
  return (operation.parameters ?? []).some((each) => '$ref' in each && each.$ref === $ref);
}

export function pathOf(
  { path }: Pick<DocumentedOperation, 'path'>,
  { values = {}, query }: GoodRequest,
): string {
  const filled = path.replaceAll(/\{(\w+)\}/g, (whole, name: string) => values[name] ?? whole);
  return query === undefined ? filled : `${filled}?${query}`;
}

function headersOf({ headers, body }: GoodRequest, token: string | null): Record<string, string> {
  return {
    ...(token === null ? {} : { authorization: `Bearer ${token}` }),
    ...(body === undefined || body instanceof FormData
      ? {}
      : { 'content-type': 'application/json' }),
    ...headers,
  };
}

async function inject(
  { vault }: TestVault,
  route: DocumentedOperation,
  request: GoodRequest,
  { token, from = '127.0.0.1' }: Sender,
): Promise<RouteAnswer> {
  const { body } = request;
  const isPlain = typeof body === 'string' || Buffer.isBuffer(body);
  const answer = await vault.app.inject({
    method: route.method as 'GET',
    url: pathOf(route, request),
    remoteAddress: from,
    headers: headersOf(request, token),
    ...(body === undefined ? {} : { payload: isPlain ? body : JSON.stringify(body) }),
  });
  const headers = Object.entries(answer.headers).flatMap(([name, value]) =>
    [value ?? []].flat().map((each): [string, string] => [name, String(each)]),
  );
  const { statusCode: status, body: text } = answer;
  return { status, headers: new Headers(headers), text, body: parsed(text) };
}

/** Reads until its first event has come. */
async function sendToStream(
  { url }: TestVault,
  route: DocumentedOperation,
  request: GoodRequest,
  { token }: Sender,
): Promise<RouteAnswer> {
  const gone = new AbortController();
  const response = await fetch(`${url}${pathOf(route, request)}`, {
    headers: headersOf(request, token),
    signal: gone.signal,
  });
  let text = '';
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (response.ok && /^data: .*\n\n/m.test(text)) break;
  }
  gone.abort();
  const whole = response.ok ? text.slice(0, text.lastIndexOf('\n\n') + 2) : text;
  return { status: response.status, headers: response.headers, text: whole, body: parsed(text) };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
