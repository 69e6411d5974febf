// What a request for a run becomes: admitted, with its files and the facts that are written down of it.
import type { RunRequest } from '#shared/gateway-run-api.ts';
import type { JsonValue } from '#shared/json-value.ts';

import type { AppAccess } from '../access/app-lookup.ts';
import type { FileShelf } from '../files/file-shelf.ts';
import type { StoredFile } from '../files/file-store.ts';
import type { KeyedAnswer, KeyedRequest } from '../idempotency/idempotency-keys.ts';
import type { Applicant, QueueOutlook } from '../queue/run-queue.ts';
import { admitRun } from './admission.ts';
import type { AdmissionLimits, AdmittedRun, AdmittedSession } from './admission.ts';
import { storedRequestOf } from './run-payload.ts';
import type { RunPayload } from './run-payload.ts';
import type { RunFacts } from './run-record.ts';

export type RunCall = {
  app: AppAccess;
  address: string;
  requestId: string;
  traceparent: string | null;
  request: RunRequest;
  /** It goes on when its client goes away. */
  isDetached: boolean;
  /** Somebody reads its events. */
  isStreamed: boolean;
  /** Somebody waits for its end. */
  isAwaited: boolean;
  keyed: KeyedRequest | null;
  /** Of a request that is answered before its run has ended: what its key is answered with, made when the run has its place. */
  firstAnswer?: (run: AcceptedRun) => { statusCode: number; body: string };
};

export type AcceptedRun = { runId: string; outlook: QueueOutlook };

/** Disposing of it closes its files, unless the run has taken them. */
export type RunIntake = AsyncDisposable & {
  run: RunFacts;
  applicant: Applicant;
  /** What the run does, where it is in memory; it is the run's from here on. */
  takePayload: () => RunPayload | null;
};

export type RunIntakeParts = {
  limits: AdmissionLimits;
  /** Whether what a model says may always be kept. */
  keepsAllText: boolean;
  shelf: Pick<FileShelf, 'open' | 'look'>;
  /** Throws `not_found`, or `invalid_request` when the app may not use its workspace any more. */
  sessionOf: (app: AppAccess, sessionId: string) => AdmittedSession;
};

/** Throws AppError for what is wrong with the request. */
export async function takeIn(
  parts: RunIntakeParts,
  call: RunCall,
  runId: string,
): Promise<RunIntake> {
  const { session_id: sessionId } = call.request;
  const session = sessionId === undefined ? null : parts.sessionOf(call.app, sessionId);
  const admitted = admitRun(call.request, call.app, parts.limits, session);
  const payload = outlivesClient(call) ? null : await payloadOf(parts, call, admitted);
  const files = payload?.files ?? parts.shelf.look(call.app.appId, call.request.files ?? []);
  const { appId, name: appName, maxQueued } = call.app;
  let isTaken = false;
  return {
    run: factsOf(call, admitted, files, runId),
    applicant: {
      ...{ appId, appName, maxQueued, sessionSeq: session?.sessionSeq ?? null },
      bytes: payload === null ? 0 : admitted.promptBytes,
    },
    takePayload() {
      isTaken = true;
      return payload;
    },
    [Symbol.asyncDispose]: async () => {
      if (!isTaken) await payload?.[Symbol.asyncDispose]();
    },
  };
}

/** Such a run has its request in the database, any other in memory. */
function outlivesClient({ isDetached, request }: RunCall): boolean {
  return isDetached || request.on_interrupt === 'retry';
}

async function payloadOf(
  { shelf, keepsAllText }: RunIntakeParts,
  { app, request, address, requestId, isStreamed }: RunCall,
  admitted: AdmittedRun,
): Promise<RunPayload> {
  const { files, ...opened } = await shelf.open(app.appId, request.files ?? []);
  const keepsText = keepsAllText || isStreamed;
  return { ...opened, admitted, files, origin: { address, requestId, keepsText } };
}

export function keyedAnswer(
  { keyed, firstAnswer }: RunCall,
  accepted: AcceptedRun,
): KeyedAnswer | null {
  return keyed === null ? null : { ...keyed, answer: firstAnswer?.(accepted) ?? null };
}

function factsOf(
  call: RunCall,
  admitted: AdmittedRun,
  files: readonly StoredFile[],
  runId: string,
): RunFacts {
  const { app, address, request, requestId, traceparent } = call;
  const { model } = admitted.claude;
  const details: Record<string, JsonValue> = {
    request_id: requestId,
    ...(traceparent === null ? {} : { traceparent }),
    model,
    prompt_bytes: admitted.promptBytes,
    timeout_secs: admitted.timeoutMs / 1000,
    metadata: { ...admitted.metadata },
    ...(admitted.session === null ? {} : { session_id: admitted.session.sessionId }),
    ...(files.length === 0 ? {} : { files: files.map(fileFacts) }),
  };
  const stored = {
    request: storedRequestOf(admitted, { address, requestId }),
    fileTokens: files.map(({ fileToken }) => fileToken),
  };
  return {
    ...{ runId, appId: app.appId, appName: app.name, address, requestId },
    ...{ prompt: request.prompt, details, traceparent, requestedModel: model },
    sessionSeq: admitted.session?.sessionSeq ?? null,
    isDetached: call.isDetached,
    onInterrupt: request.on_interrupt ?? 'fail',
    metadata: admitted.metadata,
    stored: outlivesClient(call) ? stored : null,
  };
}

function fileFacts({ fileToken, name, size, sha256, mediaType }: StoredFile) {
  return { file_token: fileToken, name, size, sha256, media_type: mediaType };
}
