// The events in their window. It follows what comes, unless somebody has scrolled up to read: then nothing moves under their eyes.
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react';

import type { ListedAgent } from '#shared/vault-agent-api.ts';

import { Button } from '../controls/button.tsx';
import { Icon } from '../controls/icon.tsx';
import type { FeedState } from '../live/feed-state.ts';
import { useLive, useMe } from '../live/live-context.ts';
import { failureText } from '../vault/failure-text.ts';
import { useStore } from '../vault/store.ts';
import { ActivityList } from './activity-list.tsx';
import { EventItem } from './event-item.tsx';
import { movedStart, windowOf, windowStep } from './feed-window.ts';
import type { WindowStart } from './feed-window.ts';
import { OutgoingList } from './outgoing-list.tsx';

const nearEndPx = 60;

export function FeedScroller({ agent, feed }: { agent: ListedAgent; feed: FeedState }) {
  const { live } = useLive();
  const { user } = useMe();
  const { agent_id: agentId, name } = agent;
  const outgoing = useStore(live.outbox.messages).filter((each) => each.agentId === agentId);
  const scroller = useRef<HTMLDivElement>(null);
  const content = useRef<HTMLDivElement>(null);
  const [start, setStart] = useState<WindowStart>(null);
  const [isFollowing, setFollowing] = useState(true);
  /** The newest event when one left the end. */
  const [seenSeq, setSeenSeq] = useState(0);
  const [olderFailure, setOlderFailure] = useState<string | null>(null);
  const [isLoadingOlder, setLoadingOlder] = useState(false);
  const anchor = useRef<{ id: string; top: number } | null>(null);
  const lastTop = useRef(0);

  const { events, older } = feed;
  const { shown, hasEarlier, hasLater } = windowOf(events, start);
  const newestSeq = events.at(-1)?.seq ?? 0;
  const newCount = isFollowing
    ? 0
    : events.filter(({ seq, author }) => seq > seenSeq && author.id !== user.user_id).length;

  /** What is at this place now is there after the next change, too. */
  const holdStill = useCallback((): void => {
    const box = scroller.current?.getBoundingClientRect();
    const items = content.current?.querySelectorAll<HTMLElement>('[data-event]') ?? [];
    const visible = [...items].find(
      (item) => item.getBoundingClientRect().bottom > (box?.top ?? 0),
    );
    const id = visible?.dataset['event'];
    anchor.current =
      visible === undefined || id === undefined
        ? null
        : { id, top: visible.getBoundingClientRect().top };
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
  useEffect(() => {
    if (!isFollowing || newestSeq === 0) return undefined;
    const mark = (): void => {
      if (document.visibilityState === 'visible') live.markRead(agentId, newestSeq);
    };
    mark();
    document.addEventListener('visibilitychange', mark);
    return () => document.removeEventListener('visibilitychange', mark);
  }, [live, agentId, isFollowing, newestSeq]);

  const onScroll = (): void => {
    const box = scroller.current;
    if (box === null) return;
    const isAtEnd = box.scrollHeight - box.scrollTop - box.clientHeight < nearEndPx;
    // What grows below moves the end away, but nobody has scrolled up.
    const isUpwards = box.scrollTop < lastTop.current;
    lastTop.current = box.scrollTop;
    if (isAtEnd && hasLater) {
      holdStill();
      setStart(movedStart(events, start, windowStep));
    } else if (isAtEnd && !isFollowing) {
      setFollowing(true);
      setStart(null);
    } else if (!isAtEnd && isFollowing && isUpwards) {
      setFollowing(false);
      setSeenSeq(newestSeq);
      setStart(shown[0]?.seq ?? null);
    }
  };
  const toEnd = (): void => {
    setStart(null);
    setFollowing(true);
    scroller.current?.focus({ preventScroll: true });
  };
  const showEarlier = async (): Promise<void> => {
    setFollowing(false);
    if (isFollowing) setSeenSeq(newestSeq);
    if (!hasEarlier) {
      setLoadingOlder(true);
      setOlderFailure(null);
      try {
        setStart(shown[0]?.seq ?? null);
        await live.loadOlder(agentId);
      } catch (err) {
        setOlderFailure(failureText(err));
      } finally {
        setLoadingOlder(false);
      }
    }
    const state = live.state.get().feeds.get(agentId);
    if (state?.kind !== 'loaded') return;
    holdStill();
    setStart(movedStart(state.feed.events, shown[0]?.seq ?? null, -windowStep));
  };

  return (
    <div className="feed-frame">
      <div
        ref={scroller}
        className="feed-scroller"
        onScroll={onScroll}
        tabIndex={0}
        role="region"
        aria-label={`Messages of ${name}`}
      >
        <div ref={content} className="feed-content">
          {(hasEarlier || older !== null) && (
            <div className="feed-older">
              {olderFailure !== null && <p role="alert">{olderFailure}</p>}
              <Button disabled={isLoadingOlder} onClick={() => void showEarlier()}>
                {isLoadingOlder ? 'Loading…' : 'Show older'}
              </Button>
            </div>
          )}
          {shown.length === 0 && outgoing.length === 0 && <EmptyFeed agent={agent} />}
          <div role="log" aria-live="polite" aria-relevant="additions" aria-label="Messages">
            {shown.map((event) => (
              <EventItem
                key={event.event_id}
                event={event}
                agentName={name}
                myId={user.user_id}
                activity={feed.activities.get(event.event_id)}
              />
            ))}
          </div>
          {!hasLater && (
            <>
              <OutgoingList outgoing={outgoing} />
              <ActivityList agent={agent} feed={feed} />
            </>
          )}
        </div>
      </div>
      {!isFollowing && (
        <Button kind={newCount > 0 ? 'primary' : 'plain'} className="to-end" onClick={toEnd}>
          <Icon name="down" />
          {newCount > 0 ? `${newCount} new ${newCount === 1 ? 'message' : 'messages'}` : 'Newest'}
        </Button>
      )}
    </div>
  );
}

function EmptyFeed({ agent }: { agent: ListedAgent }) {
  return (
    <div className="empty">
      <h2>Nothing here yet</h2>
      <p>
        Write the first message to <strong>{agent.name}</strong> below.
        {agent.status === 'offline' &&
          ' Nobody answers for it at the moment: it is answered when its watcher runs.'}
      </p>
    </div>
  );
}
