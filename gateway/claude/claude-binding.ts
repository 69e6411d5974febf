// What a prepared process is told over stdin to become one particular run.
export type Effort = 'low' | 'medium' | 'high' | 'xhigh' | 'max';

export type ClaudeRequest = {
  prompt: string;
  model: string;
  system: string | null;
  effort: Effort | null;
  jsonSchema: Readonly<Record<string, unknown>> | null;
};

/** Ids under which the CLI answers our control requests. */
export const controlRequests = {
  initialize: 'initialize',
  settings: 'settings',
  interrupt: 'interrupt',
} as const;

export function bindingLines(request: ClaudeRequest): string {
  const { prompt, model, system, effort, jsonSchema } = request;
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
    line({
      type: 'user',
      message: { role: 'user', content: prompt },
      parent_tool_use_id: null,
      // Literal text: no @path is read, no /command is run.
      client_composed: true,
    }),
  ].join('');
}

export function interruptLine(): string {
  return control(controlRequests.interrupt, { subtype: 'interrupt' });
}

function control(requestId: string, request: object): string {
  return line({ type: 'control_request', request_id: requestId, request });
}

/** One line of JSON. The two Unicode line separators are legal in JSON but end a line for some readers. */
function line(message: object): string {
  const json = JSON.stringify(message);
  return `${json.replaceAll('\u2028', String.raw`\u2028`).replaceAll('\u2029', String.raw`\u2029`)}\n`;
}
