import { describeEventStream } from '#shared/api-document/event-stream-schema.ts';
import { runEventData, ShutdownNotice, shutdownEvent } from '#shared/gateway-event-api.ts';

export const runEventStream = describeEventStream({
  title: 'RunEvent',
  description: 'an event of a run; the last one is `run.completed` or `run.failed`',
  data: { ...runEventData, [shutdownEvent]: ShutdownNotice },
  unnumbered: [shutdownEvent],
  example: ['run.queued', 'run.started', 'message.delta', 'run.completed'],
});
