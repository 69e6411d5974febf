// What the page asks of the vault.
import { Type } from 'typebox';
import type { Static, TSchema } from 'typebox';
import { Compile } from 'typebox/compile';

import { withQuery } from '#shared/gateway-path.ts';
import { AgentOrder, AgentView, HostView, ListedAgent } from '#shared/vault-agent-api.ts';
import type { AgentChange, AgentRequest } from '#shared/vault-agent-api.ts';
import { Answer, PageAnswer } from '#shared/vault-api.ts';
import type { VaultRequest } from '#shared/vault-connection.ts';
import { AttachmentView, EventView, ReadMarkView } from '#shared/vault-event-api.ts';
import type { EventRequest } from '#shared/vault-event-api.ts';
import {
  InvitationMade,
  InvitationView,
  KeyMade,
  KeyRotated,
  KeyView,
  PasswordResetView,
  SignInView,
  UserView,
} from '#shared/vault-identity-api.ts';
import type { KeyRequest, UserChange } from '#shared/vault-identity-api.ts';

import type { Session } from './session.ts';

export type Page<T> = { items: T[]; next: string | null };

export const AuditItem = Type.Object({
  seq: Type.Integer(),
  at: Type.String(),
  action: Type.String(),
  actor: Type.Object({
    kind: Type.String(),
    name: Type.Union([Type.String(), Type.Null()]),
  }),
  address: Type.Union([Type.String(), Type.Null()]),
  resource: Type.Union([Type.String(), Type.Null()]),
  details: Type.Record(Type.String(), Type.Unknown()),
});
export type AuditItem = Static<typeof AuditItem>;

const Readiness = Type.Object({
  ready: Type.Boolean(),
  parts: Type.Array(
    Type.Object({
      name: Type.String(),
      ok: Type.Boolean(),
      detail: Type.Union([Type.String(), Type.Null()]),
    }),
  ),
});
export type Readiness = Static<typeof Readiness>;

export type PageVault = ReturnType<typeof createPageVault>;

const pageMax = 200;

export function createPageVault({ connection, fetch }: Pick<Session, 'connection' | 'fetch'>) {
  const ask = async <T extends TSchema>(request: VaultRequest, schema: T): Promise<Static<T>> => {
    const answer: TSchema = Answer(schema);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it was checked against the schema, which a generic does not show
    const body = (await connection.ask(request, answer)) as { data: Static<T> };
    return body.data;
  };
  const get = <T extends TSchema>(path: string, schema: T) => ask({ path }, schema);
  const page = async <T extends TSchema>(path: string, schema: T): Promise<Page<Static<T>>> => {
    const { data, next } = await connection.ask({ path }, PageAnswer(schema));
    return { items: data, next };
  };
  const all = async <T extends TSchema>(
    path: string,
    schema: T,
    query: Record<string, string> = {},
  ): Promise<Static<T>[]> => {
    const items: Static<T>[] = [];
    let after: string | undefined;
    do {
      const found = await page(withQuery(path, { ...query, limit: pageMax, after }), schema);
      items.push(...found.items);
      after = found.next ?? undefined;
    } while (after !== undefined);
    return items;
  };
  const change = async <T extends TSchema>(
    method: 'POST' | 'PUT' | 'PATCH',
    path: string,
    json: unknown,
    schema: T,
    headers: Record<string, string> = {},
  ): Promise<Static<T>> => {
    const request = { method, path, ...(json === undefined ? {} : { json }), headers };
    return ask(request, schema);
  };
  const remove = async (path: string, version?: number): Promise<void> => {
    const headers = version === undefined ? {} : ifMatch(version);
    await connection.ask({ method: 'DELETE', path, headers }, Type.Unknown());
  };
  const silently = async (path: string, json: unknown): Promise<void> => {
    await connection.ask({ method: 'POST', path, json }, Type.Unknown());
  };

  return {
    agents: (archived = false) => all('/agents', ListedAgent, archived ? { archived: 'true' } : {}),
    createAgent: (agent: AgentRequest) => change('POST', '/agents', agent, AgentView),
    changeAgent: ({ agent_id: id, version }: AgentView, fields: AgentChange) =>
      change('PATCH', `/agents/${id}`, fields, AgentView, ifMatch(version)),
    archiveAgent: ({ agent_id: id, version }: AgentView) => remove(`/agents/${id}`, version),
    restoreAgent: ({ agent_id: id, version }: AgentView) =>
      change('POST', `/agents/${id}/restore`, undefined, AgentView, ifMatch(version)),
    agentOrder: () => get('/agents/order', AgentOrder),
    orderAgents: (ids: readonly string[], version: number) =>
      change('PUT', '/agents/order', { agent_ids: ids }, AgentOrder, ifMatch(version)),

    /** Newest first. */
    events: (agentId: string, after?: string | null) =>
      page(
        withQuery(`/agents/${agentId}/events`, { limit: pageMax, after: after ?? undefined }),
        EventView,
      ),
    post: (agentId: string, event: EventRequest, key: string) =>
      change('POST', `/agents/${agentId}/events`, event, EventView, { 'idempotency-key': key }),
    markRead: (agentId: string, seq: number) =>
      change('PUT', `/agents/${agentId}/read`, { seq }, ReadMarkView),
    async upload(agentId: string, file: File, key: string): Promise<AttachmentView> {
      const body = new FormData();
      body.append('file', file, file.name);
      const headers = { 'idempotency-key': key };
      const response = await fetch(`/agents/${agentId}/attachments`, {
        ...{ method: 'POST', body, headers },
      });
      const answer: unknown = await response.json();
      return readAnswer(answer, AttachmentView);
    },
    async file(attachmentId: string, signal?: AbortSignal): Promise<Blob> {
      const response = await fetch(`/attachments/${attachmentId}`, signal ? { signal } : {});
      return await response.blob();
    },

    users: () => all('/users', UserView),
    changeUser: ({ user_id: id, version }: UserView, fields: UserChange) =>
      change('PATCH', `/users/${id}`, fields, UserView, ifMatch(version)),
    offerPasswordReset: ({ user_id: id }: UserView) =>
      change('POST', `/users/${id}/password-reset`, undefined, PasswordResetView),
    invitations: () => all('/invitations', InvitationView),
    invite: (role: UserView['role']) => change('POST', '/invitations', { role }, InvitationMade),
    revokeInvitation: ({ invitation_id: id }: InvitationView) => remove(`/invitations/${id}`),
    keys: () => all('/keys', KeyView),
    createKey: (key: KeyRequest) => change('POST', '/keys', key, KeyMade),
    rotateKey: ({ key_id: id }: KeyView) => change('POST', `/keys/${id}/rotate`, {}, KeyRotated),
    revokeKey: ({ key_id: id, version }: KeyView) => remove(`/keys/${id}`, version),

    changeMe: (displayName: string, version: number) =>
      change('PATCH', '/auth/me', { display_name: displayName }, UserView, ifMatch(version)),
    changePassword: (current: string, wanted: string) =>
      silently('/auth/password', { current_password: current, new_password: wanted }),
    signIns: () => all('/auth/sign-ins', SignInView),
    endSignIn: ({ sign_in_id: id }: SignInView) => remove(`/auth/sign-ins/${id}`),

    audit: (query: Record<string, string | undefined>) =>
      page(withQuery('/auth/audit', { limit: 50, ...query }), AuditItem),
    hosts: () => all('/hosts', HostView),
    readiness: () => get('/health/ready', Readiness),
  };
}

function ifMatch(version: number): Record<string, string> {
  return { 'if-match': `"${version}"` };
}

function readAnswer(body: unknown, schema: typeof AttachmentView): AttachmentView {
  const check = Compile(Answer(schema));
  if (!check.Check(body)) throw new Error('the answer to an upload is not one of the vault');
  return body.data;
}
