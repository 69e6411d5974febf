// The events of agents' feeds as vault and its clients exchange them.
import { Type } from 'typebox';
import type { Static } from 'typebox';

import { AnyKey, Count, countMax, Nullable, Time, TimeOrNull } from './api-schema.ts';

/** Posted by people, keys and watchers. Types unknown today are taken as well. */
export const postedEventTypes = [
  'user_message',
  'assistant_message',
  'assistant_delta',
  'tool_call',
  'system',
  'cancel_request',
] as const;

/** Made by the vault alone. */
export const vaultEventTypes = [
  'claim_taken',
  'claim_renewed',
  'claim_released',
  'claim_expired',
  'agent_created',
  'agent_changed',
  'agent_archived',
  'agent_status',
  'host_changed',
] as const;

/** What a stream tells besides the events of the feeds: it has no number and is not kept. */
export const stoppingNotice = 'server.shutdown';
export const readNotice = 'read.moved';
export const peopleNotice = 'people.changed';

export const EventId = Type.String({
  pattern: '^evt_[0-9a-z]{26}$',
  examples: ['evt_01m7yjjfcksfhngdhy16rrxw3j'],
});
export const AgentId = Type.String({
  pattern: '^agent_[0-9a-z]{26}$',
  examples: ['agent_01m7yjjfcksfhngdhy16rrxw3j'],
});
export const AttachmentId = Type.String({
  pattern: '^att_[0-9a-z]{26}$',
  examples: ['att_01m7yjjfcksfhngdhy16rrxw3j'],
});

export const contentCharsMax = 2 ** 20;
export const attachmentsMax = 16;

export const AttachmentView = Type.Object(
  {
    attachment_id: Type.String(),
    name: Type.String(),
    media_type: Type.String(),
    size: Count,
    sha256: Type.String(),
  },
  { title: 'Attachment', description: 'a file that belongs to an event' },
);
export type AttachmentView = Static<typeof AttachmentView>;

export const EventAuthor = Type.Object({
  kind: Type.Enum(['user', 'key', 'system']),
  id: Type.String(),
  name: Type.String(),
});

export const EventView = Type.Object(
  {
    seq: Type.Integer({
      minimum: 1,
      description: 'rises in the order of the commits, over all feeds',
    }),
    event_id: Type.String(),
    agent_id: Nullable(Type.String()),
    event_type: Type.String({ examples: ['user_message'] }),
    content: Type.String(),
    metadata: Type.Record(AnyKey, Type.Unknown(), {
      description: '`source` is set by the vault: dashboard, api or vault',
      examples: [{ source: 'dashboard' }],
    }),
    reply_to: Nullable(Type.String()),
    attachments: Type.Array(AttachmentView),
    author: EventAuthor,
    created_at: Time,
  },
  { title: 'Event' },
);
export type EventView = Static<typeof EventView>;

const eventTypeForm = '^[a-z][a-z0-9_.]{0,63}$';

export const EventRequest = Type.Object(
  {
    event_type: Type.String({ pattern: eventTypeForm, examples: ['user_message'] }),
    content: Type.String({ maxLength: contentCharsMax, default: '' }),
    metadata: Type.Optional(
      Type.Record(AnyKey, Type.Unknown(), {
        description: 'at most 16 KB as JSON; `source` is replaced',
      }),
    ),
    reply_to: Type.Optional(EventId),
    attachments: Type.Optional(
      Type.Array(AttachmentId, { maxItems: attachmentsMax, uniqueItems: true }),
    ),
    fence: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: countMax,
        description: 'of the claim under which this is posted',
      }),
    ),
    ends_claim: Type.Optional(
      Type.Boolean({
        description:
          'whether the message is answered by this; an assistant_message does so unless it says no, anything else only if it says so',
      }),
    ),
  },
  {
    additionalProperties: false,
    examples: [{ event_type: 'user_message', content: 'Which books came in today?' }],
  },
);
export type EventRequest = Static<typeof EventRequest>;

export const EventListQuery = Type.Object(
  {
    since: Type.Optional(
      Type.Integer({ minimum: 0, maximum: countMax, description: 'only events with a higher seq' }),
    ),
    since_time: Type.Optional(
      Type.String({
        maxLength: 40,
        description: 'only events from then on',
        examples: ['2026-11-27T12:00:00Z'],
      }),
    ),
    type: Type.Optional(
      Type.String({ maxLength: 1000, description: 'one type, or several with commas between' }),
    ),
    order: Type.Optional(
      Type.Enum(['asc', 'desc'], { description: 'asc with `since` or `since_time`, else desc' }),
    ),
    idempotency_key: Type.Optional(
      Type.String({ maxLength: 255, description: 'the event that you posted under this key' }),
    ),
    limit: Type.Integer({ minimum: 1, maximum: 200, default: 50 }),
    after: Type.Optional(
      Type.Integer({ minimum: 0, maximum: countMax, description: 'the `next` of the page before' }),
    ),
  },
  { additionalProperties: false },
);
export type EventListQuery = Static<typeof EventListQuery>;

const streamStart = {
  since: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: countMax,
      description: 'where to begin; without it, with what comes now',
    }),
  ),
};

export const StreamQuery = Type.Object(streamStart, { additionalProperties: false });

export const WholeStreamQuery = Type.Object(
  {
    ...streamStart,
    notices: Type.Optional(
      Type.Boolean({
        description:
          'whether a person is also told, without a number, what a page needs to keep up: `read.moved` and `people.changed`',
      }),
    ),
  },
  { additionalProperties: false },
);

export const leaseSecsMax = 3600;
const LeaseSecs = Type.Integer({ minimum: 1, maximum: leaseSecsMax, default: 60 });
const Fence = Type.Integer({ minimum: 1, maximum: countMax });

export const ClaimRequest = Type.Object(
  {
    lease_secs: LeaseSecs,
    reopen: Type.Boolean({ default: false, description: 'take it although it was answered' }),
  },
  { additionalProperties: false },
);
export const RenewRequest = Type.Object(
  { fence: Fence, lease_secs: LeaseSecs },
  { additionalProperties: false },
);
export const ReleaseRequest = Type.Object({ fence: Fence }, { additionalProperties: false });

export const ClaimView = Type.Object(
  {
    event_id: Type.String(),
    agent_id: Type.String(),
    fence: Fence,
    state: Type.Enum(['held', 'released', 'expired', 'answered']),
    holder: Type.Object({ id: Type.String(), name: Type.String() }),
    claimed_at: Time,
    lease_expires_at: Time,
    ended_at: TimeOrNull,
  },
  { title: 'Claim', description: 'who answers a message, and until when' },
);
export type ClaimView = Static<typeof ClaimView>;

export const ReadMarkRequest = Type.Object(
  { seq: Type.Integer({ minimum: 0, maximum: countMax }) },
  { additionalProperties: false },
);
export const ReadMarkView = Type.Object({ agent_id: Type.String(), seq: Count });
export type ReadMarkView = Static<typeof ReadMarkView>;
