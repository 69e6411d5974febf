// One event of a feed, in the form of its type.
import { memo } from 'react';

import type { EventView } from '#shared/vault-event-api.ts';

import { durationText } from '../controls/amount-text.ts';
import { Moment } from '../controls/moment.tsx';
import type { Activity } from '../live/feed-state.ts';
import { AttachmentList } from './attachment-list.tsx';
import { EventFacts } from './event-facts.tsx';
import { Markdown } from './markdown.tsx';
import { NoticeItem } from './notice-item.tsx';
import { StopButton } from './stop-button.tsx';

export type EventItemProps = {
  event: EventView;
  agentName: string;
  myId: string;
  activity: Activity | undefined;
  /** Nobody answers for the agent. */
  isAgentAway: boolean;
};

export const EventItem = memo(function EventItem(props: EventItemProps) {
  const { event } = props;
  switch (event.event_type) {
    case 'user_message':
      return <UserMessage {...props} />;
    case 'assistant_message':
      return <AssistantMessage {...props} />;
    case 'system':
      return <NoticeItem event={event} />;
    case 'cancel_request':
      return <SmallEvent event={event} text={`${event.author.name} asked to stop.`} />;
    case 'agent_archived':
      return <SmallEvent event={event} text="The agent was archived." />;
    case 'tool_call':
      return <OtherEvent event={event} title={toolTitle(event)} />;
    default:
      return <OtherEvent event={event} title={event.event_type} />;
  }
});

function UserMessage({ event, agentName, myId, activity, isAgentAway }: EventItemProps) {
  const { author, content, created_at: at, attachments, metadata } = event;
  const isMine = author.id === myId;
  const isByKey = metadata['source'] === 'api';
  return (
    <article
      className={`message message-user ${isMine ? 'message-mine' : ''}`}
      data-event={event.event_id}
      aria-label={`Message of ${author.name}`}
    >
      <p className="message-head">
        <span className="message-author">{isMine ? 'You' : author.name}</span>
        {isByKey && <span className="badge">by API</span>}
        <Moment at={at} />
      </p>
      <div className="message-body keep-lines">
        {content !== '' && <Markdown text={content} />}
        <AttachmentList attachments={attachments} />
      </div>
      {activity?.state === 'waiting' && (
        <p className="message-foot">
          <span>
            {isAgentAway
              ? `Waiting until somebody answers for ${agentName}`
              : 'Waiting to be taken up'}
          </span>
          <StopButton event={event} isStopping={activity.isStopping} />
        </p>
      )}
    </article>
  );
}

function AssistantMessage({ event, agentName }: EventItemProps) {
  const { content, created_at: at, attachments, metadata } = event;
  return (
    <article
      className="message message-assistant"
      data-event={event.event_id}
      aria-label={`Answer of ${agentName}`}
    >
      <p className="message-head">
        <span className="message-author">{agentName}</span>
        <Moment at={at} />
      </p>
      <div className="message-body">
        {content === '' ? (
          <p className="muted">(an answer without text)</p>
        ) : (
          <Markdown text={content} />
        )}
        <AttachmentList attachments={attachments} />
      </div>
      <p className="message-foot">{answerFacts(metadata)}</p>
    </article>
  );
}

function answerFacts(metadata: EventView['metadata']): string {
  const { model, duration_ms: ms, cost_usd: cost, is_cut: isCut } = metadata;
  return [
    typeof model === 'string' ? model : '',
    typeof ms === 'number' ? durationText(ms / 1000) : '',
    typeof cost === 'number' && cost > 0 ? `$${cost.toFixed(cost < 0.1 ? 4 : 2)}` : '',
    isCut === true ? 'cut, it was too long' : '',
  ]
    .filter((fact) => fact !== '')
    .join(' · ');
}

function SmallEvent({ event, text }: { event: EventView; text: string }) {
  return (
    <p className="small-event" data-event={event.event_id}>
      {text} <Moment at={event.created_at} />
    </p>
  );
}

/** Of a type that the page need not know. */
function OtherEvent({ event, title }: { event: EventView; title: string }) {
  const { content, created_at: at, author, metadata, attachments } = event;
  return (
    <article className="message message-other" data-event={event.event_id} aria-label={title}>
      <p className="message-head">
        <span className="message-author">{author.name}</span>
        <span className="badge">{title}</span>
        <Moment at={at} />
      </p>
      {content !== '' && <pre className="plain-text">{content}</pre>}
      <AttachmentList attachments={attachments} />
      <EventFacts metadata={metadata} />
    </article>
  );
}

function toolTitle({ metadata }: EventView): string {
  const name = metadata['tool'] ?? metadata['name'];
  return typeof name === 'string' ? `tool: ${name}` : 'tool';
}
