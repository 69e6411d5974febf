// Lines of `claude --output-format stream-json` into our own events: only what a run needs, everything else is progress.
// Shapes observed with the pinned CLI; test/e2e/cli-contract.test.ts says when a new version differs.
import { Type } from 'typebox';
import type { Static, TSchema } from 'typebox';
import { Compile } from 'typebox/compile';

import { parseLimitNotice } from './limit-notice.ts';
import type { LimitNotice } from './limit-notice.ts';

export type ClaudeEvent =
  /** A turn begins. */
  | { type: 'init' }
  /** The model begins to answer, goes on, and has said all: as it streams. */
  | { type: 'message_start'; messageId: string }
  | { type: 'delta'; text: string }
  | { type: 'message_stop' }
  /** One finished content block of the model's message. `failure` marks a message that the CLI itself wrote. */
  | {
      type: 'assistant';
      messageId: string;
      model: string;
      text: string;
      toolUses: { id: string; name: string }[];
      failure: string | null;
    }
  /** The CLI goes on by itself, or a tool answered. `refusedMessageId` takes back what that message said. */
  | {
      type: 'user';
      isContinuation: boolean;
      refusedMessageId: string | null;
      toolResults: { id: string; isError: boolean }[];
    }
  /** `isExtra`: one more try than the CLI was told to make. */
  | { type: 'retry'; status: number | null; reason: string; delayMs: number; isExtra?: boolean }
  /** How the subscription's windows stand. */
  | ({ type: 'limit' } & LimitNotice)
  | { type: 'control'; requestId: string; error: string | null }
  | { type: 'result'; result: ClaudeResult }
  /** A sign of life that says nothing else. */
  | { type: 'progress' }
  /** Not a line of the protocol. */
  | { type: 'garbage' };

const optional = Type.Optional;
const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);

export const ClaudeResult = Type.Object({
  subtype: Type.String(),
  is_error: Type.Boolean(),
  result: optional(Type.String()),
  errors: optional(Type.Array(Type.String())),
  structured_output: optional(Type.Unknown()),
  num_turns: optional(Type.Number()),
  stop_reason: optional(nullable(Type.String())),
  terminal_reason: optional(nullable(Type.String())),
  api_error: optional(nullable(Type.String())),
  api_error_status: optional(nullable(Type.Number())),
  /** Of the whole process and of what it resumed, unlike `usage`. */
  total_cost_usd: optional(Type.Number()),
  model_usage_since_last_result: optional(Type.Unknown()),
  usage: optional(
    Type.Object({
      input_tokens: optional(Type.Number()),
      output_tokens: optional(Type.Number()),
      cache_creation_input_tokens: optional(Type.Number()),
      cache_read_input_tokens: optional(Type.Number()),
    }),
  ),
});
export type ClaudeResult = Static<typeof ClaudeResult>;

const lineKinds = {
  result: Compile(ClaudeResult),
  assistant: Compile(
    Type.Object({
      message: Type.Object({
        id: Type.String(),
        model: Type.String(),
        content: Type.Array(
          Type.Object({
            type: Type.String(),
            text: optional(Type.String()),
            id: optional(Type.String()),
            name: optional(Type.String()),
          }),
        ),
      }),
      error: optional(nullable(Type.String())),
      is_api_error_message: optional(Type.Boolean()),
    }),
  ),
  user: Compile(
    Type.Object({
      isSynthetic: optional(Type.Boolean()),
      refused_message_id: optional(nullable(Type.String())),
    }),
  ),
  toolResults: Compile(
    Type.Object({
      message: Type.Object({
        content: Type.Array(
          Type.Object({
            type: Type.String(),
            tool_use_id: optional(Type.String()),
            is_error: optional(nullable(Type.Boolean())),
          }),
        ),
      }),
    }),
  ),
  stream: Compile(
    Type.Object({
      event: Type.Object({
        type: Type.String(),
        message: optional(Type.Object({ id: Type.String() })),
        delta: optional(Type.Object({ text: optional(Type.String()) })),
      }),
    }),
  ),
  retry: Compile(
    Type.Object({
      error_status: nullable(Type.Number()),
      error: Type.String(),
      retry_delay_ms: Type.Number(),
      attempt: optional(Type.Number()),
      max_retries: optional(Type.Number()),
    }),
  ),
  control: Compile(
    Type.Object({
      response: Type.Object({ request_id: Type.String(), error: optional(Type.String()) }),
    }),
  ),
  line: Compile(
    Type.Object({
      type: Type.String(),
      subtype: optional(Type.String()),
    }),
  ),
};

export function parseClaudeLine(text: string): ClaudeEvent {
  let line: unknown;
  try {
    line = JSON.parse(text);
  } catch {
    return { type: 'garbage' };
  }
  if (!lineKinds.line.Check(line)) return { type: 'garbage' };
  switch (line.type) {
    case 'assistant':
      return parseAssistant(line);
    case 'user':
      return parseUser(line);
    case 'stream_event':
      return parseStream(line);
    case 'system':
      return parseSystem(line, line.subtype);
    case 'rate_limit_event':
      return parseLimit(line);
    case 'control_response':
      return parseControl(line);
    case 'result':
      return lineKinds.result.Check(line) ? { type: 'result', result: line } : { type: 'garbage' };
    default:
      return { type: 'progress' };
  }
}

function parseAssistant(line: unknown): ClaudeEvent {
  if (!lineKinds.assistant.Check(line)) return { type: 'garbage' };
  const { id, model, content } = line.message;
  const text = content.map((block) => (block.type === 'text' ? (block.text ?? '') : '')).join('');
  const toolUses = content.flatMap(({ type, id: toolUseId, name }) =>
    type === 'tool_use' && toolUseId !== undefined ? [{ id: toolUseId, name: name ?? '' }] : [],
  );
  const isFailure = line.is_api_error_message === true || model === '<synthetic>';
  const failure = isFailure ? (line.error ?? 'unknown') : null;
  return { type: 'assistant', messageId: id, model, text, toolUses, failure };
}

function parseUser(line: unknown): ClaudeEvent {
  if (!lineKinds.user.Check(line)) return { type: 'garbage' };
  return {
    type: 'user',
    isContinuation: line.isSynthetic === true,
    refusedMessageId: line.refused_message_id ?? null,
    toolResults: lineKinds.toolResults.Check(line)
      ? line.message.content.flatMap(({ type, tool_use_id: id, is_error: isError }) =>
          type === 'tool_result' && id !== undefined ? [{ id, isError: isError === true }] : [],
        )
      : [],
  };
}

function parseStream(line: unknown): ClaudeEvent {
  if (!lineKinds.stream.Check(line)) return { type: 'progress' };
  const { type, message, delta } = line.event;
  if (type === 'message_start' && message !== undefined) {
    return { type: 'message_start', messageId: message.id };
  }
  if (type === 'message_stop') return { type: 'message_stop' };
  const text = type === 'content_block_delta' ? delta?.text : undefined;
  return text === undefined || text === '' ? { type: 'progress' } : { type: 'delta', text };
}

function parseSystem(line: unknown, subtype: string | undefined): ClaudeEvent {
  if (subtype === 'init') return { type: 'init' };
  if (subtype !== 'api_retry' || !lineKinds.retry.Check(line)) return { type: 'progress' };
  const { attempt = 0, max_retries: retriesMax = Number.POSITIVE_INFINITY } = line;
  return {
    type: 'retry',
    status: line.error_status,
    reason: line.error,
    delayMs: line.retry_delay_ms,
    ...(attempt > retriesMax ? { isExtra: true } : {}),
  };
}

function parseLimit(line: unknown): ClaudeEvent {
  const notice = parseLimitNotice(line);
  return notice === null ? { type: 'progress' } : { type: 'limit', ...notice };
}

function parseControl(line: unknown): ClaudeEvent {
  if (!lineKinds.control.Check(line)) return { type: 'progress' };
  const { request_id: requestId, error } = line.response;
  return { type: 'control', requestId, error: error ?? null };
}
