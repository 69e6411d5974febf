// Where one is in a feed. It follows what comes, unless somebody has scrolled up to read: then nothing moves under their eyes.
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react';
import type { RefObject } from 'react';

import type { FeedState } from '../live/feed-state.ts';
import { useLive, useMe } from '../live/live-context.ts';
import { movedStart, windowOf, windowStep } from './feed-window.ts';
import type { FeedWindow, WindowStart } from './feed-window.ts';

export type FeedPlace = {
  scroller: RefObject<HTMLDivElement | null>;
  content: RefObject<HTMLDivElement | null>;
  window: FeedWindow;
  isFollowing: boolean;
  /** Of others, since one has left the end. */
  newCount: number;
  onScroll: () => void;
  toEnd: () => void;
  showEarlier: () => Promise<void>;
};

type Place = { start: WindowStart; isFollowing: boolean; seenSeq: number };

const atTheEnd: Place = { start: null, isFollowing: true, seenSeq: 0 };
const nearEndPx = 60;

export function useFeedPlace(agentId: string, feed: FeedState): FeedPlace {
  const { live } = useLive();
  const { user } = useMe();
  const [place, setPlace] = useState(atTheEnd);
  const { start, isFollowing, seenSeq } = place;
  const { scroller, content, holdStill } = useStillness(isFollowing);
  const lastTop = useRef(0);
  const { events } = feed;
  const shown = windowOf(events, start);
  const newestSeq = events.at(-1)?.seq ?? 0;
  useReading(agentId, isFollowing ? newestSeq : 0);

  /** The window stays where it is from now on. */
  const stay = (): void =>
    setPlace((now) => ({
      start: now.start ?? shown.shown[0]?.seq ?? null,
      isFollowing: false,
      seenSeq: now.isFollowing ? newestSeq : now.seenSeq,
    }));
  return {
    ...{ scroller, content, window: shown, isFollowing },
    newCount: isFollowing
      ? 0
      : events.filter(({ seq, author }) => seq > seenSeq && author.id !== user.user_id).length,
    onScroll() {
      const box = scroller.current;
      if (box === null) return;
      const isAtEnd = box.scrollHeight - box.scrollTop - box.clientHeight < nearEndPx;
      // What grows below moves the end away, but nobody has scrolled up.
      const isUpwards = box.scrollTop < lastTop.current;
      lastTop.current = box.scrollTop;
      if (isAtEnd && shown.hasLater) {
        holdStill();
        setPlace({ ...place, start: movedStart(events, start, windowStep) });
      } else if (isAtEnd && !isFollowing) {
        setPlace(atTheEnd);
      } else if (!isAtEnd && isFollowing && isUpwards) {
        stay();
      }
    },
    toEnd() {
      setPlace(atTheEnd);
      scroller.current?.focus({ preventScroll: true });
    },
    async showEarlier() {
      const first = shown.shown[0]?.seq ?? null;
      stay();
      if (!shown.hasEarlier) await live.loadOlder(agentId);
      const open = live.state.get().feeds.get(agentId);
      if (open?.kind !== 'loaded') return;
      holdStill();
      const earlier = movedStart(open.feed.events, first, -windowStep);
      setPlace((now) => ({ ...now, start: earlier }));
    },
  };
}

/** Keeps the end in sight while it is followed, and else what one looks at, when it is asked to. */
function useStillness(isFollowing: boolean) {
  const scroller = useRef<HTMLDivElement>(null);
  const content = useRef<HTMLDivElement>(null);
  const anchor = useRef<{ id: string; top: number } | null>(null);

  /** What is at this place now is there after the next change, too. */
  const holdStill = useCallback((): void => {
    const top = scroller.current?.getBoundingClientRect().top ?? 0;
    const items = content.current?.querySelectorAll<HTMLElement>('[data-event]') ?? [];
    const visible = [...items].find((item) => item.getBoundingClientRect().bottom > top);
    const id = visible?.dataset['event'];
    if (visible === undefined || id === undefined) return;
    anchor.current = { id, top: visible.getBoundingClientRect().top };
  }, []);
  useLayoutEffect(() => {
    const box = scroller.current;
    if (box === null) return;
    const held = anchor.current;
    anchor.current = null;
    if (held !== null) {
      const item = content.current?.querySelector(`[data-event="${CSS.escape(held.id)}"]`);
      if (item != null) box.scrollTop += item.getBoundingClientRect().top - held.top;
    } else if (isFollowing) {
      box.scrollTop = box.scrollHeight;
    }
  });
  // Pictures and fonts come later than their messages.
  useEffect(() => {
    const box = scroller.current;
    const inner = content.current;
    if (box === null || inner === null || !isFollowing) return undefined;
    const observer = new ResizeObserver(() => {
      box.scrollTop = box.scrollHeight;
    });
    observer.observe(inner);
    observer.observe(box);
    return () => observer.disconnect();
  }, [isFollowing]);
  return { scroller, content, holdStill };
}

/** Tells what was read, once somebody looks. 0 for nothing. */
function useReading(agentId: string, seq: number): void {
  const { live } = useLive();
  useEffect(() => {
    if (seq === 0) return undefined;
    const mark = (): void => {
      if (document.visibilityState === 'visible') live.markRead(agentId, seq);
    };
    mark();
    document.addEventListener('visibilitychange', mark);
    return () => document.removeEventListener('visibilitychange', mark);
  }, [live, agentId, seq]);
}
