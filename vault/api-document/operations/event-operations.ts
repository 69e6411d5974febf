import { plainSchema } from '#shared/api-document/plain-schema.ts';
import { exampleOf } from '#shared/api-document/schema-example.ts';
import { EventView } from '#shared/vault-event-api.ts';

import { feedEventStream } from '../feed-event-stream.ts';
import { keyed } from '../vault-operations.ts';
import type { VaultOperations } from '../vault-operations.ts';

const streamDescription = [
  'Server-sent events: `event:` is the type, `id:` the number of the event, `data:` its JSON. The stream goes on until the reader leaves, the vault stops or the token ends.',
  'It begins with what comes from now on, or after the number that `since` or `Last-Event-ID` names: a reader that lost the connection comes back and misses nothing.',
  `Any other type that somebody posts is streamed as well. Those known today:\n\n${feedEventStream.list}`,
];

const exportedFeed = {
  schema: { type: 'string', description: 'events as `GET` answers them, one in a line' },
  example: `${JSON.stringify(exampleOf(plainSchema(EventView)))}\n`,
};

export const eventOperations: VaultOperations = {
  'POST /api/v1/agents/{agent_id}/events': {
    id: 'postEvent',
    tag: 'events',
    summary: 'Post to the feed of an agent',
    description: [
      'An event is never changed. `assistant_message`, `assistant_delta` and `tool_call` need the permission `events:answer`, and so does whatever has a `fence` or `ends_claim`; every other type needs `events:write`.',
      'In reply to a message that is claimed, they need the `fence` of the claim; a stale one is refused with 409. An `assistant_message` in reply answers the message and removes its deltas.',
      'The event keeps its `Idempotency-Key` for as long as it is there, and can be read by it.',
    ].join('\n\n'),
    answers: {
      201: {
        description: 'The event, with its number.',
        headers: ['Location', 'Idempotent-Replayed'],
      },
    },
    headers: keyed.headers,
    errors: ['not_found', 'conflict', ...keyed.errors],
  },
  'GET /api/v1/agents/{agent_id}/events': {
    id: 'listEvents',
    tag: 'events',
    summary: 'Read the feed of an agent',
    description:
      'Newest first, or from `since` or `since_time` on in the order in which it happened. Reading on with the highest `seq` as `since` skips nothing and repeats nothing, however many write.',
    answers: { 200: { description: 'A page of events.' } },
    errors: ['not_found'],
  },
  'GET /api/v1/agents/{agent_id}/export': {
    id: 'exportEvents',
    tag: 'events',
    summary: 'Take the whole feed of an agent along',
    description:
      'As it is when the reading begins, oldest first. Files are not in it: each event names its own.',
    answers: {
      200: {
        description: 'A line of JSON for each event.',
        headers: ['Content-Disposition'],
        content: { 'application/x-ndjson': exportedFeed },
      },
    },
    errors: ['not_found'],
  },
  'GET /api/v1/events/{event_id}': {
    ...{ id: 'getEvent', tag: 'events', summary: 'Read an event and who answers it' },
    answers: { 200: { description: 'The event, and its claim if there was one.' } },
    errors: ['not_found'],
  },
  'GET /api/v1/agents/{agent_id}/stream': {
    id: 'streamAgentEvents',
    tag: 'events',
    summary: 'Follow the feed of an agent',
    description: streamDescription.join('\n\n'),
    answers: { 200: { description: 'The events as they come.', stream: feedEventStream.media } },
    headers: ['Last-Event-ID'],
    errors: ['not_found', 'gone'],
  },
  'GET /api/v1/stream': {
    id: 'streamEvents',
    tag: 'events',
    summary: 'Follow the feeds of all agents that one may see',
    description: streamDescription.join('\n\n'),
    answers: { 200: { description: 'The events as they come.', stream: feedEventStream.media } },
    headers: ['Last-Event-ID'],
    errors: ['gone'],
  },
  'POST /api/v1/events/{event_id}/claim': {
    id: 'claimEvent',
    tag: 'claims',
    summary: 'Take on the answer to a message',
    description:
      'Exactly one of many gets it, with a `fence` that is higher each time. Whoever needs longer than `lease_secs` renews it.',
    answers: {
      201: { description: 'The claim is yours.', headers: ['Idempotent-Replayed'] },
    },
    headers: keyed.headers,
    errors: ['not_found', 'conflict', ...keyed.errors],
  },
  'POST /api/v1/events/{event_id}/claim/renew': {
    ...{ id: 'renewClaim', tag: 'claims', summary: 'Keep a claim for longer' },
    answers: {
      200: { description: 'The claim, with its new end.', headers: ['Idempotent-Replayed'] },
    },
    headers: keyed.headers,
    errors: ['not_found', 'conflict', ...keyed.errors],
  },
  'POST /api/v1/events/{event_id}/claim/release': {
    ...{ id: 'releaseClaim', tag: 'claims', summary: 'Give a message back without an answer' },
    answers: {
      200: { description: 'The claim is over.', headers: ['Idempotent-Replayed'] },
    },
    headers: keyed.headers,
    errors: ['not_found', 'conflict', ...keyed.errors],
  },
};
