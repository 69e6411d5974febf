// The events of a feed in their window, and how one moves in it.
import type { ListedAgent } from '#shared/vault-agent-api.ts';

import { useAction } from '../controls/action.ts';
import { Button } from '../controls/button.tsx';
import { FailureNote } from '../controls/failure-note.tsx';
import { Icon } from '../controls/icon.tsx';
import type { FeedState } from '../live/feed-state.ts';
import { useLive, useMe } from '../live/live-context.ts';
import { useStore } from '../vault/store.ts';
import { ActivityList } from './activity-list.tsx';
import { EventItem } from './event-item.tsx';
import { useFeedPlace } from './feed-place.ts';
import { OutgoingList } from './outgoing-list.tsx';

export function FeedScroller({ agent, feed }: { agent: ListedAgent; feed: FeedState }) {
  const { live } = useLive();
  const { user } = useMe();
  const { agent_id: agentId, name } = agent;
  const outgoing = useStore(live.outbox.messages).filter((each) => each.agentId === agentId);
  const { scroller, content, onScroll, toEnd, ...place } = useFeedPlace(agentId, feed);
  const { shown, hasEarlier, hasLater } = place.window;
  const { isFollowing, newCount } = place;
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
          {(hasEarlier || feed.older !== null) && <OlderButton showEarlier={place.showEarlier} />}
          {shown.length === 0 && outgoing.length === 0 && <EmptyFeed agent={agent} />}
          {/* What somebody scrolls to is not news. */}
          <div
            role="log"
            aria-live={isFollowing ? 'polite' : 'off'}
            aria-relevant="additions"
            aria-label="Messages"
          >
            {shown.map((event) => (
              <EventItem
                key={event.event_id}
                event={event}
                agentName={name}
                myId={user.user_id}
                activity={feed.activities.get(event.event_id)}
                isAgentAway={agent.status === 'offline'}
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

function OlderButton({ showEarlier }: { showEarlier: () => Promise<void> }) {
  const { isBusy, failure, run } = useAction();
  return (
    <div className="feed-older">
      <FailureNote text={failure} />
      <Button disabled={isBusy} onClick={() => void run(showEarlier)}>
        {isBusy ? 'Loading…' : 'Show older'}
      </Button>
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
