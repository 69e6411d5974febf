import { Type } from 'typebox';

import { describeEventStream } from '#shared/api-document/event-stream-schema.ts';
import {
  EventView,
  ReadMarkView,
  peopleNotice,
  readNotice,
  stoppingNotice,
} from '#shared/vault-event-api.ts';
import type { postedEventTypes, vaultEventTypes } from '#shared/vault-event-api.ts';

const meanings: Readonly<
  Record<(typeof postedEventTypes)[number] | (typeof vaultEventTypes)[number], string>
> = {
  user_message: 'what somebody said to the agent',
  assistant_message: 'what the agent said, whole',
  assistant_delta: 'a piece of an answer; it is gone when the whole one is there',
  tool_call: 'what the agent did',
  system: 'a note, for the feed itself',
  cancel_request: 'somebody wants the answer to `reply_to` to end',
  claim_taken: 'somebody answers the message `reply_to`, until `metadata.lease_expires_at`',
  claim_renewed: 'they need longer',
  claim_released: 'they gave it back without an answer',
  claim_expired: 'they were not heard of in time',
  agent_created: 'there is an agent more: `metadata.agent`',
  agent_changed: 'an agent was changed or brought back, or their order: `metadata.agent_ids`',
  agent_archived: 'an agent was put away',
  agent_status: 'an agent is in another state',
  host_changed: 'a host is in another state: `metadata.host`',
};

const ShutdownNotice = Type.Object(
  {
    message: Type.String({ examples: ['the vault is stopping: come back'] }),
    retry_after_secs: Type.Integer({ minimum: 1, examples: [5] }),
  },
  {
    title: 'ShutdownNotice',
    description:
      'the vault stops: come back with the number of the last event. This one has no number',
  },
);

const ReadNotice = {
  ...ReadMarkView,
  title: 'ReadNotice',
  description:
    'one has read a feed up to `seq`, here or elsewhere; only with `notices`. This one has no number',
};

const PeopleNotice = Type.Object(
  {},
  {
    title: 'PeopleNotice',
    description:
      'users, keys, invitations or sign-ins are other ones than before; only with `notices`. This one has no number',
  },
);

/** Types that are not here are streamed as well: whoever posts may call them what they like. */
export const feedEventStream = describeEventStream({
  title: 'FeedEvent',
  description: 'an event of a feed',
  data: {
    ...Object.fromEntries(
      Object.entries(meanings).map(([type, description]) => [type, { ...EventView, description }]),
    ),
    [stoppingNotice]: ShutdownNotice,
    [readNotice]: ReadNotice,
    [peopleNotice]: PeopleNotice,
  },
  unnumbered: [stoppingNotice, readNotice, peopleNotice],
  example: ['user_message', 'claim_taken', 'assistant_delta', 'assistant_message'],
});
