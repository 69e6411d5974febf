// What the watcher or the vault says about a message: that it waits, that it was stopped, or why there is no answer.
import type { EventView } from '#shared/vault-event-api.ts';

import { Button } from '../controls/button.tsx';
import { Moment } from '../controls/moment.tsx';
import { useLive, useMe } from '../live/live-context.ts';
import { useStore } from '../vault/store.ts';

/** What to do about an outcome, where there is something. */
const hints: Readonly<Record<string, string>> = {
  rate_limited: 'Send it again when the limit has been reset.',
  overloaded: 'Send it again in a few minutes.',
  auth: 'Sign the gateway in on its host, then send it again: the README says how.',
  billing: 'Look at the account of the gateway, then send it again.',
  cli_missing: 'Install Claude Code on the host of the gateway: `npm run doctor` says more.',
  prompt_too_long: 'Send a shorter message, or put the text into a file.',
  model_unavailable: 'Choose another model for this agent.',
  budget: 'Raise the budget of this agent, or ask for less.',
  max_turns: 'Ask for a smaller step.',
  timeout_total: 'Ask for a smaller step, or raise the timeout of this agent.',
  timeout_idle: 'Send it again.',
  timeout_start: 'Send it again.',
  crashed: 'Send it again; the log of the gateway says more.',
  empty: 'Send it again.',
  upstream_error: 'Send it again in a moment.',
  interrupted: 'Send it again.',
  disk_full: 'Make room on the host of the gateway, then send it again.',
};

export function NoticeItem({ event }: { event: EventView }) {
  const { content, created_at: at, metadata } = event;
  const outcome = metadata['outcome'];
  const isFailure = typeof outcome === 'string' && outcome !== 'cancelled';
  const hint = typeof outcome === 'string' ? hints[outcome] : undefined;
  return (
    <div
      className={`notice ${isFailure ? 'notice-failure' : ''}`}
      data-event={event.event_id}
      role="group"
      aria-label={isFailure ? 'Failure' : 'Notice'}
    >
      <p>
        {content === '' ? 'A notice without text.' : readable(content, metadata)}
        {hint !== undefined && ` ${hint}`}
      </p>
      <p className="notice-foot">
        <Moment at={at} />
        {isFailure && <AgainButton event={event} />}
      </p>
    </div>
  );
}

/** A time that stands in the sentence, as people read it. */
function readable(content: string, metadata: EventView['metadata']): string {
  const until = metadata['waits_until'];
  if (typeof until !== 'string') return content;
  const date = new Date(until);
  return Number.isNaN(date.getTime()) ? content : content.replace(until, date.toLocaleString());
}

function AgainButton({ event }: { event: EventView }) {
  const { live } = useLive();
  const { may } = useMe();
  const { feeds } = useStore(live.state);
  const { agent_id: agentId, reply_to: replyTo } = event;
  const open = feeds.get(agentId ?? '');
  const message =
    open?.kind === 'loaded'
      ? open.feed.events.find((each) => each.event_id === replyTo)
      : undefined;
  // A file belongs to the message that it came with.
  const canRepeat = message !== undefined && message.attachments.length === 0;
  if (!canRepeat || agentId === null || !may('events:write')) return null;
  return (
    <Button className="button-small" onClick={() => live.outbox.send(agentId, message.content, [])}>
      Send again
    </Button>
  );
}
