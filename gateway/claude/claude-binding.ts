// What a process is told over stdin to become one particular run, or the next turn of a conversation.
import { jsonText, userLine } from './user-message.ts';
import type { ClaudeAttachment } from './user-message.ts';

export type Effort = 'low' | 'medium' | 'high' | 'xhigh' | 'max';

export type ClaudeRequest = {
  prompt: string;
  model: string;
  system: string | null;
  effort: Effort | null;
  jsonSchema: Readonly<Record<string, unknown>> | null;
};

/** A request with its files; what comes of the prompt does not depend on whether there are any. */
export type ClaudeTask = ClaudeRequest & { attachments: readonly ClaudeAttachment[] };

/** Ids under which the CLI answers our control requests. */
export const controlRequests = {
  initialize: 'initialize',
  settings: 'settings',
  interrupt: 'interrupt',
} as const;

export function bindingLines(request: ClaudeRequest): string {
  return `${settingLines(request)}${userLine(request.prompt)}`;
}

/** What holds for all turns of the process. */
export function settingLines({ model, system, effort, jsonSchema }: ClaudeRequest): string {
  return [
    control(controlRequests.initialize, {
      subtype: 'initialize',
      // An empty list is no system prompt at all, instead of the CLI's own of 7 KB.
      systemPrompt: system === null ? [] : [system],
      ...(jsonSchema === null ? {} : { jsonSchema }),
    }),
    // Not set_model: that pays for a probe call, and when the probe fails another model answers as if nothing were wrong.
    control(controlRequests.settings, {
      subtype: 'apply_flag_settings',
      settings: { model, ...(effort === null ? {} : { effortLevel: effort }) },
    }),
  ].join('');
}

export function interruptLine(): string {
  return control(controlRequests.interrupt, { subtype: 'interrupt' });
}

function control(requestId: string, request: object): string {
  return `${jsonText({ type: 'control_request', request_id: requestId, request })}\n`;
}
