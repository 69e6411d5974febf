// How the subscription's windows stand, as the gateway's own runs were told.
import { Type } from 'typebox';
import type { Static } from 'typebox';

import { NextPage, Nullable, Time, TimeOrNull } from './api-schema.ts';

export const LimitWindowItem = Type.Object(
  {
    window: Type.String({
      description: "Anthropic's name for it",
      examples: ['five_hour'],
    }),
    status: Nullable(
      Type.String({
        description: '`allowed`, `allowed_warning` or `rejected`; null when it is not known',
        examples: ['allowed'],
      }),
    ),
    utilization: Nullable(
      Type.Number({
        description: 'how much of it is used, 1 is all; null when nobody said',
        examples: [0.4],
      }),
    ),
    resets_at: TimeOrNull,
    seen_at: Time,
  },
  {
    title: 'LimitWindow',
    description:
      'a window of the subscription as it was last seen; after its reset nothing is known',
  },
);

const QueueParking = Type.Object(
  {
    until: Type.String({
      description: 'in UTC; once it is over one run tries, alone',
      examples: ['2026-11-27T14:00:00.000Z'],
    }),
    since: Time,
    window: Nullable(
      Type.String({ description: 'whose limit it is, if that was said', examples: ['five_hour'] }),
    ),
  },
  { title: 'QueueParking', description: 'why no run starts: the subscription has reached a limit' },
);

export const limitFields = {
  parked: Nullable(QueueParking),
  windows: Type.Array(LimitWindowItem, { description: 'by name; empty with an API key' }),
};

export const LimitList = Type.Object(
  { items: limitFields.windows, next: NextPage, parked: limitFields.parked },
  { title: 'LimitList', description: 'the windows of the subscription, all on one page' },
);
export type LimitList = Static<typeof LimitList>;
export type LimitWindowItem = Static<typeof LimitWindowItem>;
export type QueueParking = Static<typeof QueueParking>;
