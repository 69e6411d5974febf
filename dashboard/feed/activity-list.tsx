// The answers that are being written.
import type { ListedAgent } from '#shared/vault-agent-api.ts';

import { draftText } from '../live/answer-draft.ts';
import type { Activity, FeedState } from '../live/feed-state.ts';
import { Markdown } from './markdown.tsx';
import { StopButton } from './stop-button.tsx';

const quoteMax = 80;

export function ActivityList({ agent, feed }: { agent: ListedAgent; feed: FeedState }) {
  const working = [...feed.activities].filter(([, { state }]) => state === 'working');
  return (
    <>
      {working.map(([eventId, activity]) => (
        <AnswerInTheMaking
          key={eventId}
          agent={agent}
          eventId={eventId}
          activity={activity}
          quote={working.length > 1 ? quoteOf(feed, eventId) : null}
        />
      ))}
      <p className="visually-hidden" role="status">
        {working.length > 0 ? `${agent.name} is thinking` : ''}
      </p>
    </>
  );
}

function AnswerInTheMaking({
  agent,
  eventId,
  activity,
  quote,
}: {
  agent: ListedAgent;
  eventId: string;
  activity: Activity;
  quote: string | null;
}) {
  const text = draftText(activity.draft);
  return (
    <article
      className="message message-assistant message-draft"
      data-activity={eventId}
      aria-label={`${agent.name} is answering`}
    >
      <p className="message-head">
        <span className="message-author">{agent.name}</span>
        {quote !== null && <span className="muted clipped">to “{quote}”</span>}
      </p>
      {text !== '' && (
        <div className="message-body">
          <Markdown text={text} />
        </div>
      )}
      <p className="message-foot">
        <span className="thinking" aria-hidden="true">
          <span />
          <span />
          <span />
        </span>
        <span>{text === '' ? 'Thinking' : 'Writing'}</span>
        <StopButton
          event={{ event_id: eventId, agent_id: agent.agent_id }}
          isStopping={activity.isStopping}
        />
      </p>
    </article>
  );
}

function quoteOf({ events }: FeedState, eventId: string): string | null {
  const content = events.find(({ event_id: id }) => id === eventId)?.content;
  if (content === undefined) return null;
  const line = content.trim().split('\n', 1)[0] ?? '';
  return line.length > quoteMax ? `${line.slice(0, quoteMax)}…` : line;
}
