// The events of a run, as GET /runs/<id>/events streams them: `event:` is the type, `data:` what stands here, `id:` its number.
import { Type } from 'typebox';
import type { Static } from 'typebox';

import { Count, ErrorObject, Milliseconds, Nullable } from './api-schema.ts';
import { RunAnswer } from './gateway-run-api.ts';

const runId = Type.String();
const traceparent = Type.Optional(Type.String({ description: 'as it came with the request' }));
const message = Type.Integer({ minimum: 1, description: 'the number of the message in its run' });

/** What each type of event carries. */
export const runEventData = {
  'run.queued': Type.Object({
    run_id: runId,
    queue_position: Count,
    estimate_secs: Count,
    attempt: Count,
    traceparent,
  }),
  'run.started': Type.Object({
    run_id: runId,
    attempt: Type.Integer({ minimum: 1 }),
    queue_ms: Milliseconds,
    traceparent,
  }),
  'message.delta': Type.Object({ message, text: Type.String() }),
  'message.completed': Type.Object({
    message,
    text: Type.String(),
    model: Nullable(Type.String()),
  }),
  'tool.started': Type.Object({ message, tool_use_id: Type.String(), name: Type.String() }),
  'tool.finished': Type.Object({ tool_use_id: Type.String(), is_error: Type.Boolean() }),
  retry: Type.Object({
    reason: Type.String(),
    status: Nullable(Type.Integer()),
    delay_ms: Milliseconds,
    superseded: Type.Array(message, {
      description: 'messages whose text so far does not count: it comes again',
    }),
  }),
  'limit.updated': Type.Object({
    status: Type.String(),
    resets_at: Nullable(Type.Number()),
  }),
  'run.completed': Type.Object({
    ...RunAnswer.properties,
    result: Type.Optional(RunAnswer.properties.result),
  }),
  'run.failed': Type.Object({
    ok: Type.Literal(false),
    error: ErrorObject,
    request_id: Type.String(),
    run_id: runId,
  }),
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
