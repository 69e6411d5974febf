// The vault as a program uses it that answers for agents: their feeds, the claims on messages, how things are.
import { Type } from 'typebox';

import { withQuery } from './gateway-path.ts';
import { HostView, ListedAgent } from './vault-agent-api.ts';
import type { AgentStatusRequest } from './vault-agent-api.ts';
import { Answer, PageAnswer } from './vault-api.ts';
import { createVaultConnection } from './vault-connection.ts';
import type { VaultConnectionOptions } from './vault-connection.ts';
import { ClaimView, EventView } from './vault-event-api.ts';
import type { EventRequest } from './vault-event-api.ts';
import { streamEvents } from './vault-event-stream.ts';
import type { StreamStart } from './vault-event-stream.ts';

type CallOptions = { signal?: AbortSignal | undefined };

export type VaultClient = {
  /** All of them. */
  agents: (options?: CallOptions) => Promise<ListedAgent[]>;
  /** A page of a feed, oldest first, after a number. */
  eventsSince: (
    agentId: string,
    since: number,
    options?: CallOptions & { types?: readonly string[]; limit?: number },
  ) => Promise<{ events: EventView[]; isWhole: boolean }>;
  /** The newest event of a feed; null where there is none. */
  newestEvent: (agentId: string, options?: CallOptions) => Promise<EventView | null>;
  /** The event that was posted under this key, by whoever asks. */
  eventOfKey: (agentId: string, key: string, options?: CallOptions) => Promise<EventView | null>;
  post: (
    agentId: string,
    event: EventRequest,
    options?: CallOptions & { idempotencyKey?: string | undefined },
  ) => Promise<EventView>;
  claim: (
    eventId: string,
    options: CallOptions & { leaseSecs: number; reopen: boolean; idempotencyKey: string },
  ) => Promise<ClaimView>;
  renew: (
    eventId: string,
    options: CallOptions & { fence: number; leaseSecs: number },
  ) => Promise<ClaimView>;
  release: (eventId: string, options: CallOptions & { fence: number }) => Promise<ClaimView>;
  reportAgent: (
    agentId: string,
    status: AgentStatusRequest,
    options?: CallOptions,
  ) => Promise<void>;
  reportHost: (
    name: string,
    report: Readonly<Record<string, unknown>>,
    options?: CallOptions,
  ) => Promise<void>;
  /** The bytes of a file. */
  attachment: (attachmentId: string, options?: CallOptions) => Promise<Response>;
  stream: (start: StreamStart) => AsyncGenerator<EventView, void, undefined>;
};

const AgentPage = PageAnswer(ListedAgent);
const EventPage = PageAnswer(EventView);
const OneEvent = Answer(EventView);
const OneClaim = Answer(ClaimView);
const OneHost = Answer(HostView);
const Anything = Type.Unknown();

const pageMax = 200;

/** Every method makes one attempt. Throws VaultError, or what its signal was aborted with. */
export function createVaultClient(options: VaultConnectionOptions): VaultClient {
  const connection = createVaultConnection(options);

  return {
    async agents({ signal } = {}) {
      const all: ListedAgent[] = [];
      let after: string | undefined;
      do {
        const path = withQuery('/agents', { limit: pageMax, after });
        const { data, next } = await connection.ask({ path, signal }, AgentPage);
        all.push(...data);
        after = next ?? undefined;
      } while (after !== undefined);
      return all;
    },
    async eventsSince(agentId, since, { types, limit = pageMax, signal } = {}) {
      const path = withQuery(feedOf(agentId), { since, limit, type: types?.join(',') });
      const { data, next } = await connection.ask({ path, signal }, EventPage);
      return { events: data, isWhole: next === null };
    },
    async newestEvent(agentId, { signal } = {}) {
      const path = withQuery(feedOf(agentId), { limit: 1 });
      const { data } = await connection.ask({ path, signal }, EventPage);
      return data[0] ?? null;
    },
    async eventOfKey(agentId, key, { signal } = {}) {
      const path = withQuery(feedOf(agentId), { idempotency_key: key });
      const { data } = await connection.ask({ path, signal }, EventPage);
      return data[0] ?? null;
    },
    async post(agentId, event, { idempotencyKey, signal } = {}) {
      const headers = idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey };
      const request = {
        method: 'POST',
        path: feedOf(agentId),
        json: event,
        headers,
        signal,
      } as const;
      return (await connection.ask(request, OneEvent)).data;
    },
    async claim(eventId, { leaseSecs, reopen, idempotencyKey, signal }) {
      const headers = { 'idempotency-key': idempotencyKey };
      const json = { lease_secs: leaseSecs, reopen };
      const request = { method: 'POST', path: claimOf(eventId), json, headers, signal } as const;
      return (await connection.ask(request, OneClaim)).data;
    },
    async renew(eventId, { fence, leaseSecs, signal }) {
      const json = { fence, lease_secs: leaseSecs };
      const request = { method: 'POST', path: `${claimOf(eventId)}/renew`, json, signal } as const;
      return (await connection.ask(request, OneClaim)).data;
    },
    async release(eventId, { fence, signal }) {
      const request = {
        method: 'POST',
        path: `${claimOf(eventId)}/release`,
        json: { fence },
        signal,
      } as const;
      return (await connection.ask(request, OneClaim)).data;
    },
    async reportAgent(agentId, status, { signal } = {}) {
      const path = `/agents/${encodeURIComponent(agentId)}/status`;
      await connection.ask({ method: 'PUT', path, json: status, signal }, Anything);
    },
    async reportHost(name, report, { signal } = {}) {
      const path = `/hosts/${encodeURIComponent(name)}`;
      await connection.ask({ method: 'PUT', path, json: report, signal }, OneHost);
    },
    attachment: (attachmentId, { signal } = {}) =>
      connection.open({ path: `/attachments/${encodeURIComponent(attachmentId)}`, signal }),
    stream: (start) => streamEvents(connection, start),
  };
}

function feedOf(agentId: string): string {
  return `/agents/${encodeURIComponent(agentId)}/events`;
}

function claimOf(eventId: string): string {
  return `/events/${encodeURIComponent(eventId)}/claim`;
}
