// The feed of one agent as the page has it: what was said, and what is being answered.
import type { EventView } from '#shared/vault-event-api.ts';

import { emptyDraft, withDelta } from './answer-draft.ts';
import type { AnswerDraft } from './answer-draft.ts';

export type Activity = {
  /** `waiting`: nobody has taken the message up yet. */
  state: 'waiting' | 'working';
  isStopping: boolean;
  draft: AnswerDraft;
};

export type FeedState = {
  /** Those that are shown, in the order of their numbers. */
  events: readonly EventView[];
  /** By the id of the message that is to be answered. */
  activities: ReadonlyMap<string, Activity>;
  /** The `after` of the page of older ones; null at the beginning of the feed. */
  older: string | null;
};

const keptMax = 10_000;

export const emptyFeed: FeedState = { events: [], activities: new Map(), older: null };

const hiddenTypes: ReadonlySet<string> = new Set([
  'assistant_delta',
  'claim_taken',
  'claim_renewed',
  'claim_released',
  'claim_expired',
  'agent_created',
  'agent_status',
  'agent_changed',
  'host_changed',
]);

export function isShown({ event_type: type }: EventView): boolean {
  return !hiddenTypes.has(type);
}

export function withEvent(feed: FeedState, event: EventView): FeedState {
  const events = isShown(event) ? inserted(feed.events, event) : feed.events;
  if (isShown(event) && events === feed.events) return feed;
  const activities = activitiesAfter(feed.activities, event);
  return withoutTooMany({ ...feed, events, activities });
}

/** A page may be open for weeks. What goes can be loaded again. */
function withoutTooMany(feed: FeedState): FeedState {
  if (feed.events.length <= keptMax) return feed;
  const events = feed.events.slice(-keptMax / 2);
  return { ...feed, events, older: String(events[0]?.seq ?? 0) };
}

/** A page of events before those that are there, in any order. */
export function withOlder(
  feed: FeedState,
  page: readonly EventView[],
  older: string | null,
): FeedState {
  const [first] = feed.events;
  const before = page
    .filter((event) => isShown(event) && (first === undefined || event.seq < first.seq))
    .toSorted((one, other) => one.seq - other.seq);
  return { ...feed, events: [...before, ...feed.events], older };
}

function inserted(events: readonly EventView[], event: EventView): readonly EventView[] {
  const index = events.findLastIndex(({ seq }) => seq <= event.seq);
  // The answer to one's own post and the stream both bring it.
  if (events[index]?.seq === event.seq) return events;
  return events.toSpliced(index + 1, 0, event);
}

function activitiesAfter(
  activities: FeedState['activities'],
  event: EventView,
): FeedState['activities'] {
  const { event_type: type, event_id: eventId, reply_to: replyTo, metadata } = event;
  if (type === 'user_message') {
    if (metadata['source'] !== 'dashboard') return activities;
    const waiting = { state: 'waiting', isStopping: false, draft: emptyDraft } as const;
    return changed(activities, eventId, waiting);
  }
  if (replyTo === null) return activities;
  const now = activities.get(replyTo) ?? {
    ...{ state: 'waiting' as const, isStopping: false, draft: emptyDraft },
  };
  switch (type) {
    case 'claim_taken':
      return changed(activities, replyTo, { ...now, state: 'working', draft: emptyDraft });
    case 'claim_renewed':
      return changed(activities, replyTo, { ...now, state: 'working' });
    case 'claim_released':
    case 'claim_expired':
      return changed(activities, replyTo, { ...now, state: 'waiting', draft: emptyDraft });
    case 'assistant_delta':
      return changed(activities, replyTo, {
        ...{ ...now, state: 'working', draft: withDelta(now.draft, event) },
      });
    case 'cancel_request':
      return activities.has(replyTo)
        ? changed(activities, replyTo, { ...now, isStopping: true })
        : activities;
    case 'assistant_message':
      return without(activities, replyTo);
    case 'system':
      // A notice in between says that it goes on later; one with an outcome is the last word.
      return metadata['outcome'] === undefined ? activities : without(activities, replyTo);
    default:
      return activities;
  }
}

function changed(
  activities: FeedState['activities'],
  eventId: string,
  activity: Activity,
): FeedState['activities'] {
  return new Map(activities).set(eventId, activity);
}

function without(activities: FeedState['activities'], eventId: string): FeedState['activities'] {
  if (!activities.has(eventId)) return activities;
  const rest = new Map(activities);
  rest.delete(eventId);
  return rest;
}
