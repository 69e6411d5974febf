// The events of a run, as GET /runs/<id>/events streams them: `event:` is the type, `data:` what stands here, `id:` its number.
import { Type } from 'typebox';
import type { Static } from 'typebox';

import { Count, ErrorObject, Milliseconds, Nullable, TimeOrNull } from './api-schema.ts';
import { RunAnswer } from './gateway-run-api.ts';
import { runId, waitsUntil } from './gateway-run-fields.ts';

const traceparent = Type.Optional(
  Type.String({
    description: 'as it came with the request',
    examples: ['00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'],
  }),
);
const message = Type.Integer({ minimum: 1, description: 'the number of the message in its run' });
const toolUseId = Type.String({
  description: 'joins `tool.started` and `tool.finished`',
  examples: ['toolu_01A09q90qw90lq917835lq9'],
});

/** What each type of event carries. */
export const runEventData = {
  'run.queued': Type.Object(
    {
      run_id: runId,
      queue_position: Count,
      estimate_secs: Count,
      waits_until: Type.Optional(waitsUntil),
      attempt: Count,
      traceparent,
    },
    {
      title: 'RunQueued',
      description: 'the run was accepted, or waits again: after a restart, or for a limit to end',
    },
  ),
  'run.started': Type.Object(
    {
      run_id: runId,
      attempt: Type.Integer({ minimum: 1 }),
      queue_ms: Milliseconds,
      traceparent,
    },
    { title: 'RunStarted', description: 'the run has left the queue' },
  ),
  'message.delta': Type.Object(
    { message, text: Type.String({ examples: ['A gatehouse'] }) },
    { title: 'MessageDelta', description: 'more text of a message, at most every 100 ms' },
  ),
  'message.completed': Type.Object(
    {
      message,
      text: Type.String({ examples: ['A gatehouse guards, lodges and welcomes.'] }),
      model: Nullable(Type.String({ examples: ['claude-sonnet-5-5'] })),
    },
    { title: 'MessageCompleted', description: 'the whole text of a message' },
  ),
  'tool.started': Type.Object(
    { message, tool_use_id: toolUseId, name: Type.String({ examples: ['StructuredOutput'] }) },
    { title: 'ToolStarted', description: 'the model uses a tool' },
  ),
  'tool.finished': Type.Object(
    { tool_use_id: toolUseId, is_error: Type.Boolean({ examples: [false] }) },
    { title: 'ToolFinished', description: 'the tool is done' },
  ),
  retry: Type.Object(
    {
      reason: Type.String({ examples: ['overloaded'] }),
      status: Nullable(
        Type.Integer({ description: 'the HTTP status of the API', examples: [529] }),
      ),
      delay_ms: Milliseconds,
      superseded: Type.Array(message, {
        description: 'messages whose text so far does not count: it comes again',
      }),
    },
    { title: 'Retry', description: 'something failed on the way to the model and is tried again' },
  ),
  'limit.updated': Type.Object(
    {
      status: Type.String({ examples: ['allowed_warning'] }),
      resets_at: TimeOrNull,
      window: Type.Optional(
        Type.String({ description: 'the one it is about', examples: ['five_hour'] }),
      ),
    },
    { title: 'LimitUpdated', description: 'how the limits of the subscription stand' },
  ),
  'run.completed': Type.Object(
    { ...RunAnswer.properties, result: Type.Optional(RunAnswer.properties.result) },
    {
      title: 'RunCompleted',
      description:
        'the last event of a run with a result, which is missing where the gateway keeps no text',
    },
  ),
  'run.failed': Type.Object(
    {
      ok: Type.Literal(false),
      error: ErrorObject,
      request_id: Type.String({ examples: ['req_01m7yjjfcksfhngdhy16rrxw3j'] }),
      run_id: runId,
    },
    { title: 'RunFailed', description: 'the last event of a run without a result' },
  ),
} as const;

export type RunEventType = keyof typeof runEventData;
export type RunEventData = { [T in RunEventType]: Static<(typeof runEventData)[T]> };

/** An event before it has a number. */
export type RunEventDraft = {
  [T in RunEventType]: { type: T; data: RunEventData[T] };
}[RunEventType];

/** The last event of every run is one of these. */
export function isLastRunEvent(type: string): boolean {
  return type === 'run.completed' || type === 'run.failed';
}

/** May end a stream before the last event. It has no number: come back with the last one seen. */
export const shutdownEvent = 'server.shutdown';
export const ShutdownNotice = Type.Object(
  {
    message: Type.String({ examples: ['the gateway is stopping: come back'] }),
    retry_after_secs: Type.Integer({ minimum: 1, examples: [5] }),
  },
  {
    title: 'ShutdownNotice',
    description:
      'the gateway stops: come back with the number of the last event. This one has no number',
  },
);
export type ShutdownNotice = Static<typeof ShutdownNotice>;
