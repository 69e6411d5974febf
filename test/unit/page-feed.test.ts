// The feed as the page has it, without a page.
import { describe, expect, test } from 'vitest';

import type { EventView } from '#shared/vault-event-api.ts';

import { movedStart, windowOf } from '../../dashboard/feed/feed-window.ts';
import { draftText, emptyDraft, withDelta } from '../../dashboard/live/answer-draft.ts';
import { emptyFeed, withEvent, withOlder } from '../../dashboard/live/feed-state.ts';

function event(seq: number, type = 'user_message', more: Partial<EventView> = {}): EventView {
  return {
    ...{ seq, event_id: `evt_${seq}`, agent_id: 'agent_1', event_type: type, content: `${seq}` },
    ...{ metadata: { source: 'dashboard' }, reply_to: null, attachments: [] },
    ...{ author: { kind: 'user', id: 'user_1', name: 'ada' }, created_at: '2026-11-28T00:00:00Z' },
    ...more,
  };
}

const delta = (content: string, metadata: Record<string, unknown>) => ({
  content,
  metadata: { run_id: 'run_1', attempt: 1, ...metadata },
});

describe('a draft', () => {
  test('is put together by message and place, repeated pieces included', () => {
    const pieces = [
      delta('Hello', { message: 0, from: 0 }),
      delta('lo wor', { message: 0, from: 3 }),
      delta('second', { message: 1, from: 0 }),
      delta('ld', { message: 0, from: 9 }),
    ];
    expect(draftText(pieces.reduce(withDelta, emptyDraft))).toBe('Hello world\n\nsecond');
  });

  test('drops what is superseded, and everything of an earlier attempt', () => {
    const begun = [
      delta('wrong', { message: 0, from: 0 }),
      delta('', { superseded: [0] }),
      delta('right', { message: 1, from: 0 }),
    ].reduce(withDelta, emptyDraft);
    expect(draftText(begun)).toBe('right');
    const again = withDelta(begun, delta('anew', { message: 0, from: 0, attempt: 2 }));
    expect(draftText(again)).toBe('anew');
  });

  test('leaves a gap where a piece got lost, and bears nonsense', () => {
    const late = withDelta(emptyDraft, delta('end', { message: 0, from: 4 }));
    expect(draftText(late)).toBe('…   end');
    const odd = withDelta(late, delta('x', { message: -1, from: 'a', superseded: 'b' }));
    expect(draftText(odd)).toBe('…   endx');
  });
});

describe('a feed', () => {
  test('has each event once, in the order of the numbers', () => {
    const feed = [event(3), event(1), event(3), event(2)].reduce(withEvent, emptyFeed);
    expect(feed.events.map(({ seq }) => seq)).toEqual([1, 2, 3]);
    const older = withOlder({ ...feed, events: feed.events.slice(2) }, [event(2), event(1)], null);
    expect(older.events.map(({ seq }) => seq)).toEqual([1, 2, 3]);
  });

  test('knows what is waiting, being answered and done', () => {
    const reply = { reply_to: 'evt_1' };
    const stateAfter = (...types: [string, Partial<EventView>?][]) =>
      types
        .map(([type, more], index) => event(index + 2, type, { ...reply, ...more }))
        .reduce(withEvent, withEvent(emptyFeed, event(1)))
        .activities.get('evt_1')?.state;
    expect(stateAfter()).toBe('waiting');
    expect(stateAfter(['claim_taken'])).toBe('working');
    expect(stateAfter(['claim_taken'], ['claim_released'])).toBe('waiting');
    expect(stateAfter(['claim_taken'], ['claim_expired'])).toBe('waiting');
    expect(stateAfter(['claim_taken'], ['system', { metadata: { notice: 'limit' } }])).toBe(
      'working',
    );
    expect(stateAfter(['claim_taken'], ['system', { metadata: { outcome: 'auth' } }])).toBe(
      undefined,
    );
    expect(stateAfter(['claim_taken'], ['assistant_message'])).toBe(undefined);
  });

  test('is shown a hundred events at a time', () => {
    const events = Array.from({ length: 230 }, (_, index) => event(index + 1));
    expect(windowOf(events, null)).toMatchObject({ hasEarlier: true, hasLater: false });
    expect(windowOf(events, null).shown).toHaveLength(100);
    const earlier = movedStart(events, null, -50);
    expect(earlier).toBe(81);
    expect(windowOf(events, earlier)).toMatchObject({ hasEarlier: true, hasLater: true });
    expect(movedStart(events, 31, -50)).toBe(1);
    expect(movedStart(events, 100, 50)).toBe(null);
  });
});
