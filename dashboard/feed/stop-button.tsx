import type { EventView } from '#shared/vault-event-api.ts';

import { useAction } from '../controls/action.ts';
import { Button } from '../controls/button.tsx';
import { FailureNote } from '../controls/failure-note.tsx';
import { Icon } from '../controls/icon.tsx';
import { useLive, useMe } from '../live/live-context.ts';

/** Asks whoever answers a message not to. */
export function StopButton({
  event,
  isStopping,
}: {
  event: Pick<EventView, 'event_id' | 'agent_id'>;
  isStopping: boolean;
}) {
  const { live } = useLive();
  const { may } = useMe();
  const { isBusy, failure, run } = useAction();
  const { event_id: eventId, agent_id: agentId } = event;
  if (agentId === null || !may('events:write')) return null;
  const isAsked = isStopping || isBusy;
  return (
    <>
      <Button
        className="button-small"
        disabled={isAsked}
        onClick={() => void run(() => live.stop(agentId, eventId))}
      >
        <Icon name="stop" />
        {isAsked ? 'Stopping…' : 'Stop'}
      </Button>
      <FailureNote text={failure} />
    </>
  );
}
