// How each agent is answered for: the file AGENTS_FILE.
import { readFileSync } from 'node:fs';
import { isAbsolute } from 'node:path';

import { Type } from 'typebox';
import type { Static } from 'typebox';
import { Compile } from 'typebox/compile';

import { StartError } from '#shared/errors.ts';

export const AgentSettings = Type.Object(
  {
    model: Type.Optional(Type.String({ minLength: 1, maxLength: 128 })),
    system: Type.Optional(Type.String()),
    workspace: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })),
    /** What shares a conversation: everything the agent is told, a thread, or nothing. */
    session: Type.Optional(Type.Enum(['agent', 'thread', 'none'])),
    /** Messages answered at a time. */
    concurrency: Type.Optional(Type.Integer({ minimum: 1, maximum: 100 })),
    /** Where messages of other sources are written. */
    inbox: Type.Optional(Type.String({ minLength: 1 })),
    timeout_secs: Type.Optional(Type.Number({ minimum: 1, maximum: 3600 })),
  },
  { additionalProperties: false },
);
export type AgentSettings = Static<typeof AgentSettings>;

const AgentsFile = Type.Object(
  { agents: Type.Record(Type.String({ minLength: 1 }), AgentSettings) },
  { additionalProperties: false },
);

export const usualConcurrency = 2;

/** By the name or id of the agent; null without a file: every agent that the key may answer for, with what is usual. */
export function readAgentsFile(path: string | null): ReadonlyMap<string, AgentSettings> | null {
  if (path === null) return null;
  const content = parse(path);
  const check = Compile(AgentsFile);
  if (!check.Check(content)) {
    const [fault] = check.Errors(content);
    throw new StartError(
      `AGENTS_FILE ${path}: ${fault?.instancePath || 'it'} ${fault?.message ?? 'is wrong'}`,
    );
  }
  for (const [name, { inbox }] of Object.entries(content.agents)) {
    if (inbox !== undefined && !isAbsolute(inbox)) {
      throw new StartError(`AGENTS_FILE ${path}: the inbox of ${name} must be an absolute path`);
    }
  }
  return new Map(Object.entries(content.agents));
}

function parse(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new StartError(`AGENTS_FILE ${path} cannot be read: ${reason}`, { cause });
  }
}
