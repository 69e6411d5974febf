// The messages of a run in their course: begun, shown piece by piece, completed, or given up with what was shown of them.
import type { RunEventDraft } from '#shared/gateway-event-api.ts';

export type MessageCourse = {
  /** A stream begins. What an unfinished one has shown does not count. */
  begin: (messageId: string) => RunEventDraft[];
  show: (text: string) => RunEventDraft;
  /** A block is finished. */
  add: (block: { messageId: string; model: string; text: string }) => RunEventDraft[];
  /** The message is told whole, if it has any text. */
  complete: () => RunEventDraft[];
  /** The unfinished one will not be finished; gives its number if something of it was shown. */
  giveUp: () => number[];
  /** A message that was told whole is taken back. */
  refuse: (messageId: string) => RunEventDraft[];
  /** Of the message that was added to last. */
  number: () => number;
};

type Message = {
  number: number;
  id: string | null;
  /** Of its finished blocks. */
  text: string;
  model: string | null;
  isShown: boolean;
};

export function createMessageCourse(): MessageCourse {
  let count = 0;
  let current: Message | null = null;
  let completed: Message | null = null;

  const start = (id: string | null): Message => {
    count += 1;
    current = { number: count, id, text: '', model: null, isShown: false };
    return current;
  };
  const complete = (): RunEventDraft[] => {
    if (current === null || current.text === '') return [];
    completed = current;
    current = null;
    const { number, text, model } = completed;
    return [{ type: 'message.completed', data: { message: number, text, model } }];
  };
  const giveUp = (): number[] => {
    const superseded = current?.isShown === true ? [current.number] : [];
    current = null;
    return superseded;
  };
  const leave = (): RunEventDraft[] => [...complete(), ...takenBack('stream_restarted', giveUp())];
  return {
    complete,
    giveUp,
    begin(messageId) {
      const drafts = leave();
      start(messageId);
      return drafts;
    },
    show(text) {
      const message = current ?? start(null);
      message.isShown = true;
      return { type: 'message.delta', data: { message: message.number, text } };
    },
    add({ messageId, model, text }) {
      // One of its own, where no stream has said that it begins.
      const isAnother = current !== null && current.id !== null && current.id !== messageId;
      const drafts = isAnother ? leave() : [];
      const message = current ?? start(messageId);
      message.id ??= messageId;
      message.text += text;
      message.model = model;
      return drafts;
    },
    refuse: (messageId) =>
      completed?.id === messageId ? takenBack('refused', [completed.number]) : [],
    number: () => count,
  };
}

/** Text that was shown does not count, and no line of the CLI says so. */
function takenBack(reason: string, superseded: number[]): RunEventDraft[] {
  if (superseded.length === 0) return [];
  return [{ type: 'retry', data: { reason, status: null, delay_ms: 0, superseded } }];
}
