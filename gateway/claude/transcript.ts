// What a run has said so far, kept small: the text of the last turn and the facts the verdict needs.
import type { ClaudeEvent, ClaudeResult } from './claude-events.ts';
import { addSpend } from './turn-spend.ts';
import type { TurnSpend } from './turn-spend.ts';

export type Transcript = {
  /** Text of the last assistant turn: all its text blocks, automatic continuations joined. */
  text: string;
  /** The model that answered last. */
  model: string | null;
  /** What the CLI calls the error it ended with, such as `authentication_failed`. */
  failure: string | null;
  /** The last result counts: a background task may wake the model for another turn. */
  result: ClaudeResult | null;
  resultCount: number;
  /** What all its results together cost; null before the first one. */
  spend: TurnSpend | null;
  retryCount: number;
  lastRetryDelayMs: number | null;
  /** When a subscription window that refused this run opens again, in epoch milliseconds. */
  limitResetsAt: number | null;
  garbageLines: number;
  /** The first control request the CLI refused, such as a schema it cannot use. */
  refusedControl: { requestId: string; error: string } | null;
};

export function emptyTranscript(): Transcript {
  return {
    text: '',
    model: null,
    failure: null,
    result: null,
    resultCount: 0,
    spend: null,
    retryCount: 0,
    lastRetryDelayMs: null,
    limitResetsAt: null,
    garbageLines: 0,
    refusedControl: null,
  };
}

/** What the model said in the end; the CLI's own last text where no message was seen. */
export function finalText({ text, result }: Transcript): string {
  return text === '' ? (result?.result ?? '') : text;
}

function addResult(transcript: Transcript, result: ClaudeResult): void {
  const { spend, result: before } = transcript;
  transcript.spend = addSpend(spend, result, before?.total_cost_usd);
  transcript.result = result;
  transcript.resultCount += 1;
}

/** Adds events to a transcript; it remembers which message the text belongs to. */
export function createTranscriber(): { transcript: Transcript; add(event: ClaudeEvent): void } {
  const transcript = emptyTranscript();
  let messageId: string | null = null;
  let before = '';

  const addAssistant = (event: Extract<ClaudeEvent, { type: 'assistant' }>): void => {
    if (event.failure !== null) {
      transcript.failure = event.failure;
      return;
    }
    // A new message without a continuation in between is a second try: it begins again.
    if (event.messageId !== messageId) transcript.text = before;
    messageId = event.messageId;
    transcript.text += event.text;
    transcript.model = event.model;
    transcript.failure = null;
  };
  const add = (event: ClaudeEvent): void => {
    switch (event.type) {
      case 'init':
        // A turn after a result is a turn of its own.
        if (transcript.resultCount > 0) transcript.text = '';
        before = transcript.text;
        messageId = null;
        break;
      case 'assistant':
        addAssistant(event);
        break;
      case 'user':
        // What is said after a tool's answer is the last turn; a continuation belongs to the one before.
        if (!event.isContinuation) transcript.text = '';
        else if (event.refusedMessageId !== null) transcript.text = before;
        before = transcript.text;
        messageId = null;
        break;
      case 'retry':
        transcript.retryCount += 1;
        transcript.lastRetryDelayMs = event.delayMs;
        break;
      case 'limit':
        if (event.status === 'rejected') transcript.limitResetsAt = event.resetsAt;
        break;
      case 'control':
        if (event.error !== null) {
          transcript.refusedControl ??= { requestId: event.requestId, error: event.error };
        }
        break;
      case 'result':
        addResult(transcript, event.result);
        break;
      case 'garbage':
        transcript.garbageLines += 1;
        break;
      // Only what is finished counts.
      case 'message_start':
      case 'delta':
      case 'message_stop':
      case 'progress':
        break;
    }
  };
  return { transcript, add };
}
