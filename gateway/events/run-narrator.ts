// From what the CLI says to the events of a run. Text that will come again is taken back by the `superseded` of a `retry`.
import { isoTime } from '#shared/clock.ts';
import type { RunEventDraft } from '#shared/gateway-event-api.ts';

import type { ClaudeEvent } from '../claude/claude-events.ts';
import { createMessageCourse } from './message-course.ts';
import type { MessageCourse } from './message-course.ts';

export type RunNarrator = {
  /** What this line of the CLI tells the readers of the run; mostly nothing or one event. */
  narrate: (event: ClaudeEvent) => RunEventDraft[];
};

export function createRunNarrator(): RunNarrator {
  const course = createMessageCourse();
  return {
    narrate(event) {
      switch (event.type) {
        case 'message_start':
          return course.begin(event.messageId);
        case 'delta':
          return [course.show(event.text)];
        case 'message_stop':
        case 'init':
        case 'result':
          return course.complete();
        case 'assistant':
          return narrateAssistant(event, course);
        case 'user':
          return narrateUser(event, course);
        case 'retry':
          return [narrateRetry(event, course)];
        case 'limit':
          return [narrateLimit(event)];
        case 'control':
        case 'progress':
        case 'garbage':
          return [];
      }
    },
  };
}

type Said<T extends ClaudeEvent['type']> = Extract<ClaudeEvent, { type: T }>;

function narrateAssistant(event: Said<'assistant'>, course: MessageCourse): RunEventDraft[] {
  // What the CLI says of itself is no message.
  if (event.failure !== null) return [];
  const drafts = course.add(event);
  const message = course.number();
  for (const { id, name } of event.toolUses) {
    drafts.push({ type: 'tool.started', data: { message, tool_use_id: id, name } });
  }
  return drafts;
}

function narrateUser(event: Said<'user'>, course: MessageCourse): RunEventDraft[] {
  const drafts = course.complete();
  if (event.refusedMessageId !== null) drafts.push(...course.refuse(event.refusedMessageId));
  for (const { id, isError } of event.toolResults) {
    drafts.push({ type: 'tool.finished', data: { tool_use_id: id, is_error: isError } });
  }
  return drafts;
}

function narrateLimit({ status, resetsAt, window }: Said<'limit'>): RunEventDraft {
  const resets_at = resetsAt === null ? null : isoTime(resetsAt);
  return {
    type: 'limit.updated',
    data: { status, resets_at, ...(window === null ? {} : { window }) },
  };
}

function narrateRetry(
  { reason, status, delayMs }: Said<'retry'>,
  course: MessageCourse,
): RunEventDraft {
  const superseded = course.giveUp();
  return { type: 'retry', data: { reason, status, delay_ms: Math.round(delayMs), superseded } };
}
