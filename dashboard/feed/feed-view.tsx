// The feed of one agent: what was said, what is being answered, and where one writes.
import { useEffect } from 'react';

import type { ListedAgent } from '#shared/vault-agent-api.ts';

import { Button } from '../controls/button.tsx';
import { FailureNote } from '../controls/failure-note.tsx';
import { useLive, useMe } from '../live/live-context.ts';
import { useStore } from '../vault/store.ts';
import { AgentStatus } from './agent-status.tsx';
import { Composer } from './composer.tsx';
import { FeedScroller } from './feed-scroller.tsx';

export function FeedView({ agent }: { agent: ListedAgent }) {
  const { live } = useLive();
  const { may } = useMe();
  const { feeds } = useStore(live.state);
  const { agent_id: agentId, name } = agent;
  useEffect(() => live.openFeed(agentId), [live, agentId]);
  const open = feeds.get(agentId) ?? { kind: 'loading' };
  return (
    <section className="feed" aria-label={`Feed of ${name}`}>
      <header className="feed-head">
        <h1 className="clipped">{name}</h1>
        <AgentStatus agent={agent} hasText />
      </header>
      {open.kind === 'loading' && (
        <p className="feed-note" role="status">
          Loading the feed…
        </p>
      )}
      {open.kind === 'failed' && (
        <div className="feed-note">
          <FailureNote text={open.failure} />
          <Button onClick={() => live.reloadFeed(agentId)}>Try again</Button>
        </div>
      )}
      {open.kind === 'loaded' && <FeedScroller agent={agent} feed={open.feed} />}
      {may('events:write') ? (
        <Composer agent={agent} />
      ) : (
        <p className="feed-note">
          You may read here, but not write. An admin can change your role.
        </p>
      )}
    </section>
  );
}
