// Agents and the hosts of watchers as vault and its clients exchange them.
import { Type } from 'typebox';
import type { Static } from 'typebox';

import { AnyKey, Count, Nullable, Time, TimeOrNull } from './api-schema.ts';
import { AgentId } from './vault-event-api.ts';

const Name = Type.String({
  minLength: 1,
  maxLength: 100,
  pattern: String.raw`^\S(.*\S)?$`,
  examples: ['Librarian'],
});
const Description = Type.String({ maxLength: 2000 });
const Labels = Type.Array(Type.String({ minLength: 1, maxLength: 50 }), {
  maxItems: 20,
  uniqueItems: true,
});

export const AgentState = Type.Enum(['online', 'working', 'offline', 'error']);

export const AgentView = Type.Object(
  {
    agent_id: Type.String(),
    name: Type.String(),
    description: Type.String(),
    labels: Type.Array(Type.String()),
    place: Type.Integer({ description: 'agents are listed in the order of it' }),
    status: AgentState,
    status_text: Nullable(Type.String()),
    last_seen_at: TimeOrNull,
    created_at: Time,
    updated_at: Time,
    archived_at: TimeOrNull,
    version: Type.Integer({ minimum: 1, description: 'what If-Match wants' }),
  },
  { title: 'Agent', description: 'somebody on the dashboard that you can write to' },
);
export type AgentView = Static<typeof AgentView>;

export const ListedAgent = Type.Object(
  {
    ...AgentView.properties,
    last_seq: Type.Integer({ minimum: 0, description: 'of the newest message; 0 without one' }),
    read_seq: Nullable(Count),
    unread: Nullable(
      Type.Integer({
        minimum: 0,
        maximum: 100,
        description: 'messages of others; 100 is many; null for a key',
      }),
    ),
  },
  { title: 'ListedAgent' },
);
export type ListedAgent = Static<typeof ListedAgent>;

export const AgentRequest = Type.Object(
  {
    name: Name,
    description: Type.Optional(Description),
    labels: Type.Optional(Labels),
  },
  { additionalProperties: false },
);
export type AgentRequest = Static<typeof AgentRequest>;

export const AgentChange = Type.Partial(AgentRequest, {
  additionalProperties: false,
  minProperties: 1,
});
export type AgentChange = Static<typeof AgentChange>;

export const AgentParams = Type.Object({ agent_id: AgentId });

export const AgentOrder = Type.Object(
  { agent_ids: Type.Array(Type.String()), version: Type.Integer({ minimum: 0 }) },
  { title: 'AgentOrder' },
);
export type AgentOrder = Static<typeof AgentOrder>;

export const AgentOrderRequest = Type.Object(
  { agent_ids: Type.Array(AgentId, { maxItems: 1000, uniqueItems: true }) },
  { additionalProperties: false },
);

export const AgentStatusRequest = Type.Object(
  {
    status: AgentState,
    status_text: Type.Optional(Nullable(Type.String({ maxLength: 500 }))),
  },
  { additionalProperties: false },
);
export type AgentStatusRequest = Static<typeof AgentStatusRequest>;

export const HostParams = Type.Object({
  name: Type.String({ pattern: '^[a-z0-9._-]{1,64}$' }),
});

export const HostReport = Type.Record(AnyKey, Type.Unknown(), {
  description:
    'what a watcher knows of its host and gateway: health, versions, sandbox, queue, usage, limits; at most 64 KB as JSON',
  examples: [{ health: 'ok', versions: { claude: '2.1.329' }, queue: { waiting: 0 } }],
});

export const HostView = Type.Object(
  {
    name: Type.String(),
    report: Type.Record(AnyKey, Type.Unknown()),
    reported_by: Type.String(),
    reported_at: Time,
  },
  { title: 'Host', description: 'the last report of a host' },
);
export type HostView = Static<typeof HostView>;
