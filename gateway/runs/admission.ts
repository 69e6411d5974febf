// What a run may be, decided before it costs anything. Pure.
import { Ajv } from 'ajv';

import { requestError } from '#shared/errors.ts';
import type { AppError } from '#shared/errors.ts';
import type { RunRequest } from '#shared/gateway-run-api.ts';
import type { JsonValue } from '#shared/json-value.ts';

import type { AppAccess } from '../access/app-lookup.ts';
import { allowsModel, isModelName } from '../access/model-pattern.ts';
import type { SpawnProfile } from '../claude/claude-arguments.ts';
import type { ClaudeRequest } from '../claude/claude-binding.ts';

export type AdmissionLimits = {
  models: { default: string; allowed: readonly string[] };
  timeoutMs: number;
  timeoutMaxMs: number;
  promptBytes: number;
  systemBytes: number;
};

/** What holds for a whole conversation. */
export type ConversationSettings = Pick<ClaudeRequest, 'model' | 'system' | 'jsonSchema'>;

/** A conversation that a run is to be the next part of. */
export type AdmittedSession = ConversationSettings & SessionOfRun;

export type SessionOfRun = {
  sessionSeq: number;
  sessionId: string;
  /** By its name. */
  workspace: string | null;
};

export type AdmittedRun = {
  claude: ClaudeRequest;
  session: SessionOfRun | null;
  profile: SpawnProfile;
  timeoutMs: number;
  promptBytes: number;
  metadata: Readonly<Record<string, string>>;
};

/** Throws AppError: `invalid_request` or `payload_too_large`. */
export function admitRun(
  request: RunRequest,
  app: AppAccess,
  limits: AdmissionLimits,
  session: AdmittedSession | null = null,
): AdmittedRun {
  const promptBytes = checkText('prompt', request.prompt, limits.promptBytes);
  if (!/\S/.test(request.prompt)) {
    throw invalid('prompt', 'prompt must not be only white space');
  }
  const settings =
    session === null
      ? admitConversation(request, app, limits)
      : settingsOfSession(request, app, limits, session);
  return {
    claude: { ...settings, prompt: request.prompt, effort: request.effort ?? null },
    session: session === null ? null : sessionOfRun(session),
    profile: {
      maxTurns: request.max_turns ?? null,
      maxBudgetUsd: request.max_budget_usd ?? null,
    },
    timeoutMs: chooseTimeout(request.timeout_secs, app, limits),
    promptBytes,
    metadata: request.metadata ?? {},
  };
}

/** Throws AppError: `invalid_request` or `payload_too_large`. */
export function admitConversation(
  { system, model, json_schema: schema }: Pick<RunRequest, 'system' | 'model' | 'json_schema'>,
  app: AppAccess,
  limits: AdmissionLimits,
): ConversationSettings {
  if (system !== undefined) checkText('system', system, limits.systemBytes);
  return {
    model: chooseModel(model, app, limits.models),
    // The API refuses an empty block.
    system: system === undefined || system === '' ? null : system,
    jsonSchema: schema === undefined ? null : checkSchema(schema),
  };
}

function sessionOfRun({ sessionSeq, sessionId, workspace }: AdmittedSession): SessionOfRun {
  return { sessionSeq, sessionId, workspace };
}

const fixedBySession = ['system', 'model', 'json_schema'] as const;

function settingsOfSession(
  request: RunRequest,
  app: AppAccess,
  { models }: AdmissionLimits,
  { model, system, jsonSchema }: AdmittedSession,
): ConversationSettings {
  const named = fixedBySession.find((field) => request[field] !== undefined);
  if (named !== undefined) {
    throw invalid(named, `${named} was fixed when the session was made: leave it out`);
  }
  // What the app may use can have changed since.
  return { model: chooseModel(model, app, models), system, jsonSchema };
}

function checkText(field: string, text: string, bytesMax: number): number {
  const bytes = Buffer.byteLength(text);
  if (bytes <= bytesMax) return bytes;
  throw requestError(
    'payload_too_large',
    `${field} has ${bytes} bytes; the limit is ${bytesMax} bytes`,
    { details: { field } },
  );
}

function chooseModel(
  wanted: string | undefined,
  app: AppAccess,
  models: AdmissionLimits['models'],
): string {
  const allowed = (model: string): boolean =>
    isModelName(model) &&
    allowsModel(models.allowed, model) &&
    (app.models === null || allowsModel(app.models, model));
  const model = wanted ?? models.default;
  if (allowed(model)) return model;
  const choice = (app.models ?? models.allowed).join(', ');
  throw invalid(
    'model',
    wanted === undefined
      ? `the default model is not allowed for this app: name one of ${choice}`
      : `this model is not allowed: name one of ${choice}`,
  );
}

function chooseTimeout(
  wantedSecs: number | undefined,
  app: AppAccess,
  limits: AdmissionLimits,
): number {
  const appMaxMs = (app.timeoutSecsMax ?? Number.POSITIVE_INFINITY) * 1000;
  const maxMs = Math.min(limits.timeoutMaxMs, appMaxMs);
  if (wantedSecs === undefined) return Math.min(limits.timeoutMs, maxMs);
  if (wantedSecs * 1000 <= maxMs) return wantedSecs * 1000;
  throw invalid('timeout_secs', `timeout_secs must be at most ${maxMs / 1000}`);
}

const schemaBytesMax = 64 * 2 ** 10;
/** Objects and lists: what compiling costs grows with them, on the thread that serves everybody. */
const schemaNodesMax = 1000;

/**
 * The schema as the CLI takes it. It drops one that it cannot use without a word, and the model's prose comes back as a success:
 * so everything its Ajv (draft-07, strict keywords) would refuse is refused here, and `$schema`, which it mostly does not know, goes.
 */
function checkSchema(schema: Readonly<Record<string, unknown>>): Record<string, unknown> {
  checkText('json_schema', JSON.stringify(schema), schemaBytesMax);
  if (countNodes(schema) > schemaNodesMax) {
    throw invalid('json_schema', `json_schema has more than ${schemaNodesMax} objects and lists`);
  }
  const { $schema: _dialect, ...rest } = schema;
  // A fresh one each time: it keeps every schema it has seen.
  const ajv = new Ajv({
    strict: false,
    strictSchema: true,
    validateFormats: false,
    logger: false,
    // Each reference would become a copy of what it refers to, and the code be gone over again and again.
    inlineRefs: false,
    code: { optimize: false },
  });
  try {
    ajv.compile(rest);
  } catch (err) {
    const reason = err instanceof Error ? err.message : String(err);
    throw invalid('json_schema', `json_schema cannot be used: ${reason} (JSON Schema draft-07)`);
  }
  return rest;
}

/** Of a JSON value, which is at most as deep as a body may be. */
function countNodes(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  return Object.values(value).reduce<number>((sum, each) => sum + countNodes(each), 1);
}

function invalid(field: string, message: string): AppError {
  const details: Record<string, JsonValue> = { field };
  return requestError('invalid_request', message, { details });
}
