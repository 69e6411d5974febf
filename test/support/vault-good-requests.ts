// A request to each route of the vault that does its work.
import { hashPassword } from '../../vault/identity/password-hash.ts';
import { mint } from '../../vault/identity/secret-text.ts';
import type { Credentials } from '../../vault/identity/sign-ins.ts';
import { boundary, bytesOfForm } from './upload-form.ts';
import { goodPassword } from './vault-browser.ts';
import { attachTo } from './vault-uploads.ts';
import type { TestVault } from './vault-world.ts';

export type GoodRequest = {
  /** What stands in the path. */
  values?: Readonly<Record<string, string>>;
  /** JSON, unless it is text or a form. */
  body?: unknown;
  query?: string;
  headers?: Readonly<Record<string, string>>;
};

/** What a request is made with. */
type Making = TestVault & {
  admin: { token: string; userId: string };
  /** Of whoever is to send the request. */
  token: string;
};
type Maker = (world: Making) => Promise<GoodRequest>;

const message = { event_type: 'user_message', content: 'Which books came in today?' };

async function newAgent({ agent, admin }: Making): Promise<GoodRequest> {
  return { values: { agent_id: await agent(admin.token) } };
}

async function archivedAgent(world: Making): Promise<GoodRequest> {
  const agentId = await world.agent(world.admin.token);
  const headers = { 'if-match': '"1"' };
  await world.call(world.admin.token, `/agents/${agentId}`, { method: 'DELETE', headers });
  return { values: { agent_id: agentId }, headers: { 'if-match': '"2"' } };
}

async function newMessage(world: Making): Promise<GoodRequest> {
  const agentId = await world.agent(world.admin.token);
  const event = await world.post(world.admin.token, agentId, message);
  return { values: { agent_id: agentId, event_id: event.event_id } };
}

async function heldMessage(world: Making): Promise<GoodRequest> {
  const request = await newMessage(world);
  const path = `/events/${request.values?.['event_id']}/claim`;
  await world.call(world.admin.token, path, { body: { lease_secs: 600 } });
  return { ...request, body: { fence: 1 } };
}

async function reportedHost(world: Making): Promise<GoodRequest> {
  await world.call(world.admin.token, '/hosts/shelf', { method: 'PUT', body: { health: 'ok' } });
  return { values: { name: 'shelf' } };
}

async function sentAttachment(world: Making): Promise<GoodRequest> {
  const { token } = world.admin;
  const agentId = await world.agent(token);
  const id = await attachTo(world, token, agentId, unique('of another agent'));
  await world.post(token, agentId, { ...message, attachments: [id] });
  return { values: { attachment_id: id } };
}

let count = 0;
function unique(name: string): string {
  count += 1;
  return `${name}-${count}`;
}

/** Who sends the request: their account, and the version of it. */
async function senderOf({ call, token, admin }: Making): Promise<{ userId: string; etag: string }> {
  const { headers, body } = await call(token, '/auth/me');
  return {
    userId: body?.data?.principal.owner_id ?? admin.userId,
    etag: headers.get('etag') ?? '"1"',
  };
}

const passwordHash = hashPassword(goodPassword);

/** Sets it past the routes: it is slow to make, and once is enough. */
async function setPassword({ vault }: TestVault, userId: string): Promise<void> {
  const hash = await passwordHash;
  await vault.database.write(async ({ db }) => {
    const query = db.updateTable('users').set({ passwordHash: hash });
    await query.where('userId', '=', userId).execute();
  });
}

/** With a name and a password. */
async function newUser(world: Making): Promise<{ userId: string; name: string }> {
  const name = unique('somebody');
  const { userId } = await world.person('viewer', name);
  await setPassword(world, userId);
  return { userId, name };
}

async function signIn({ vault }: TestVault, userId: string): Promise<Credentials> {
  const { users, signIns } = vault.people;
  const credentials = await signIns.prepare(userId);
  const origin = { address: '127.0.0.1', userAgent: 'test' };
  await vault.database.write(async (scope) =>
    signIns.begin(scope, await users.find(scope.db, userId), credentials, origin),
  );
  return credentials;
}

async function cookiesOfSignIn(world: Making): Promise<GoodRequest> {
  const { userId } = await world.person('viewer');
  const { refreshToken, csrfToken } = await signIn(world, userId);
  const cookie = `gatehouse_refresh=${refreshToken}; gatehouse_csrf=${csrfToken}`;
  return { headers: { cookie, 'x-csrf-token': csrfToken } };
}

async function invitation({ call, admin }: Making): Promise<{ token: string; id: string }> {
  const { body } = await call(admin.token, '/invitations', { body: { role: 'viewer' } });
  return { token: body.data.token, id: body.data.invitation_id };
}

async function ownKey(world: Making): Promise<GoodRequest> {
  const { keyId } = await world.key((await senderOf(world)).userId, { scopes: ['agents:read'] });
  return { values: { key_id: keyId }, headers: { 'if-match': '"1"' } };
}

async function oneOfUsers(world: Making): Promise<GoodRequest> {
  const { userId } = await newUser(world);
  return { values: { user_id: userId }, headers: { 'if-match': '"1"' } };
}

async function nothing(): Promise<GoodRequest> {
  return {};
}

/** One for each route: a test fails for a route that has none. */
export const goodRequests: Readonly<Record<string, Maker>> = {
  'GET /api/v1/agents': async (world) => ({ ...(await newAgent(world)), query: 'limit=3' }),
  'POST /api/v1/agents': async () => ({ body: { name: unique('Agent'), labels: ['books'] } }),
  'GET /api/v1/agents/order': newAgent,
  'PUT /api/v1/agents/order': async (world) => {
    const agentId = await world.agent(world.admin.token);
    const { headers } = await world.call(world.admin.token, '/agents/order');
    const version = headers.get('etag') ?? '';
    return { body: { agent_ids: [agentId] }, headers: { 'if-match': version } };
  },
  'GET /api/v1/agents/{agent_id}': newAgent,
  'PATCH /api/v1/agents/{agent_id}': async (world) => ({
    ...(await newAgent(world)),
    ...{ body: { name: unique('Renamed') }, headers: { 'if-match': '"1"' } },
  }),
  'DELETE /api/v1/agents/{agent_id}': async (world) => ({
    ...(await newAgent(world)),
    headers: { 'if-match': '"1"' },
  }),
  'POST /api/v1/agents/{agent_id}/restore': archivedAgent,
  'PUT /api/v1/agents/{agent_id}/status': async (world) => ({
    ...(await newAgent(world)),
    body: { status: 'working', status_text: 'reading' },
  }),
  'PUT /api/v1/agents/{agent_id}/read': async (world) => ({
    ...(await newMessage(world)),
    body: { seq: 1 },
  }),
  'POST /api/v1/agents/{agent_id}/events': async (world) => ({
    ...(await newAgent(world)),
    body: message,
  }),
  'GET /api/v1/agents/{agent_id}/events': newMessage,
  'GET /api/v1/agents/{agent_id}/export': newMessage,
  'POST /api/v1/agents/{agent_id}/attachments': async (world) => ({
    ...(await newAgent(world)),
    body: bytesOfForm([{ name: 'file', fileName: 'notes.txt', body: unique('The gate is open') }]),
    headers: { 'content-type': `multipart/form-data; boundary=${boundary}` },
  }),
  'GET /api/v1/attachments/{attachment_id}': sentAttachment,
  'GET /api/v1/events/{event_id}': heldMessage,
  'GET /api/v1/agents/{agent_id}/stream': async (world) => ({
    ...(await newMessage(world)),
    query: 'since=0',
  }),
  'GET /api/v1/stream': async (world) => ({ ...(await newMessage(world)), query: 'since=0' }),
  'POST /api/v1/events/{event_id}/claim': async (world) => ({
    ...(await newMessage(world)),
    body: { lease_secs: 60 },
  }),
  'POST /api/v1/events/{event_id}/claim/renew': heldMessage,
  'POST /api/v1/events/{event_id}/claim/release': heldMessage,
  'GET /api/v1/hosts': reportedHost,
  'GET /api/v1/hosts/{name}': reportedHost,
  'PUT /api/v1/hosts/{name}': async () => ({
    values: { name: unique('host') },
    body: { health: 'ok', queue: { waiting: 0 } },
  }),
  'POST /api/v1/auth/login': async (world) => {
    const { name } = await newUser(world);
    return { body: { name, password: goodPassword } };
  },
  'POST /api/v1/auth/refresh': cookiesOfSignIn,
  'POST /api/v1/auth/logout': cookiesOfSignIn,
  'POST /api/v1/auth/setup': async ({ vault }) => {
    const token = await vault.people.offerSetup();
    return { body: { token: token ?? mint('link'), name: 'first', password: goodPassword } };
  },
  'POST /api/v1/auth/accept-invitation': async (world) => {
    const { token } = await invitation(world);
    return { body: { token, name: unique('invited'), password: goodPassword } };
  },
  'POST /api/v1/auth/reset-password': async (world) => {
    const { userId } = await newUser(world);
    const path = `/users/${userId}/password-reset`;
    const { body } = await world.call(world.admin.token, path, { method: 'POST' });
    return { body: { token: body.data.token, password: `${goodPassword} 2` } };
  },
  'POST /api/v1/auth/login-link': async (world) => {
    const user = await newUser(world);
    const { links } = world.vault.people;
    const { token } = await world.vault.database.write((scope) => links.offerSignIn(scope, user));
    return { body: { token } };
  },
  'GET /api/v1/auth/me': nothing,
  'PATCH /api/v1/auth/me': async (world) => {
    const { etag } = await senderOf(world);
    return { body: { display_name: unique('Somebody') }, headers: { 'if-match': etag } };
  },
  'POST /api/v1/auth/password': async (world) => {
    await setPassword(world, (await senderOf(world)).userId);
    return { body: { current_password: goodPassword, new_password: `${goodPassword} 2` } };
  },
  'GET /api/v1/auth/sign-ins': nothing,
  'DELETE /api/v1/auth/sign-ins/{sign_in_id}': async (world) => {
    const { familyId } = await signIn(world, (await senderOf(world)).userId);
    return { values: { sign_in_id: familyId } };
  },
  'GET /api/v1/users': nothing,
  'POST /api/v1/users': async () => ({
    body: { name: unique('made'), role: 'viewer', password: goodPassword },
  }),
  'GET /api/v1/users/{user_id}': oneOfUsers,
  'PATCH /api/v1/users/{user_id}': async (world) => ({
    ...(await oneOfUsers(world)),
    body: { role: 'agent' },
  }),
  'POST /api/v1/users/{user_id}/password-reset': async (world) => ({
    values: { user_id: (await newUser(world)).userId },
  }),
  'GET /api/v1/invitations': async (world) => {
    await invitation(world);
    return {};
  },
  'POST /api/v1/invitations': async () => ({ body: { role: 'viewer' } }),
  'DELETE /api/v1/invitations/{invitation_id}': async (world) => ({
    values: { invitation_id: (await invitation(world)).id },
  }),
  'GET /api/v1/keys': async (world) => {
    await ownKey(world);
    return {};
  },
  'POST /api/v1/keys': async () => ({ body: { name: unique('key') } }),
  'GET /api/v1/keys/{key_id}': async (world) => ({ values: (await ownKey(world)).values ?? {} }),
  'PATCH /api/v1/keys/{key_id}': async (world) => ({
    ...(await ownKey(world)),
    body: { name: unique('renamed') },
  }),
  'POST /api/v1/keys/{key_id}/rotate': async (world) => ({
    values: (await ownKey(world)).values ?? {},
    body: { overlap_secs: 60 },
  }),
  'DELETE /api/v1/keys/{key_id}': ownKey,
  'GET /api/v1/auth/audit': newAgent,
  'GET /api/v1/health/live': nothing,
  'GET /api/v1/health/ready': nothing,
  'GET /api/openapi.json': nothing,
};
