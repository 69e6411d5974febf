// From what the CLI says to the events of a run. Text that will come again is taken back by the `superseded` of a `retry`.
import type { RunEventDraft } from '#shared/gateway-event-api.ts';

import type { ClaudeEvent } from '../claude/claude-events.ts';

export type RunNarrator = {
  /** What this line of the CLI tells the readers of the run; mostly nothing or one event. */
  narrate: (event: ClaudeEvent) => RunEventDraft[];
};

type Message = {
  number: number;
  id: string | null;
  /** Of its finished blocks. */
  text: string;
  model: string | null;
  hasDeltas: boolean;
};

export function createRunNarrator(): RunNarrator {
  let messages = 0;
  let current: Message | null = null;
  /** The last one that was told whole. */
  let completed: Message | null = null;

  const begin = (id: string | null): Message => {
    messages += 1;
    current = { number: messages, id, text: '', model: null, hasDeltas: false };
    return current;
  };
  const complete = (): RunEventDraft[] => {
    if (current === null || current.text === '') return [];
    const { number, text, model } = current;
    completed = current;
    current = null;
    return [{ type: 'message.completed', data: { message: number, text, model } }];
  };
  /** The text of a message that broke off; it is not to be counted. */
  const giveUp = (): number[] => {
    const number = current?.hasDeltas === true ? current.number : null;
    current = null;
    return number === null ? [] : [number];
  };
  const narrateAssistant = (
    event: Extract<ClaudeEvent, { type: 'assistant' }>,
  ): RunEventDraft[] => {
    if (event.failure !== null) return [];
    // A message of its own, where no stream has said that it begins.
    const before = current !== null && current.id !== null && current.id !== event.messageId;
    const drafts = before ? [...complete(), ...restart('stream_restarted', giveUp())] : [];
    const message = current ?? begin(event.messageId);
    message.id ??= event.messageId;
    message.text += event.text;
    message.model = event.model;
    const started = event.toolUses.map(({ id, name }): RunEventDraft => ({
      type: 'tool.started',
      data: { message: message.number, tool_use_id: id, name },
    }));
    return [...drafts, ...started];
  };

  const narrateUser = (event: Extract<ClaudeEvent, { type: 'user' }>): RunEventDraft[] => {
    const drafts = complete();
    const { refusedMessageId } = event;
    if (refusedMessageId !== null && completed?.id === refusedMessageId) {
      drafts.push(...restart('refused', [completed.number]));
    }
    const finished = event.toolResults.map(({ id, isError }): RunEventDraft => ({
      type: 'tool.finished',
      data: { tool_use_id: id, is_error: isError },
    }));
    return [...drafts, ...finished];
  };

  return {
    narrate(event) {
      switch (event.type) {
        case 'message_start': {
          const drafts = [...complete(), ...restart('stream_restarted', giveUp())];
          begin(event.messageId);
          return drafts;
        }
        case 'delta': {
          const message = current ?? begin(null);
          message.hasDeltas = true;
          return [{ type: 'message.delta', data: { message: message.number, text: event.text } }];
        }
        case 'message_stop':
          return complete();
        case 'assistant':
          return narrateAssistant(event);
        case 'user':
          return narrateUser(event);
        case 'retry': {
          const { reason, status, delayMs } = event;
          const superseded = giveUp();
          return [
            { type: 'retry', data: { reason, status, delay_ms: Math.round(delayMs), superseded } },
          ];
        }
        case 'limit':
          return [
            { type: 'limit.updated', data: { status: event.status, resets_at: event.resetsAt } },
          ];
        case 'init':
        case 'result':
          return complete();
        case 'control':
        case 'progress':
        case 'garbage':
          return [];
      }
    },
  };
}

/** Text that was shown does not count, and no line of the CLI says so. */
function restart(reason: string, superseded: number[]): RunEventDraft[] {
  return superseded.length === 0
    ? []
    : [{ type: 'retry', data: { reason, status: null, delay_ms: 0, superseded } }];
}
