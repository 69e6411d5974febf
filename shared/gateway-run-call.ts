// POST /run as its caller sees it: asked once, answered once, whatever happens to the connection in between.
import { isWorthRepeatingKeyed, withKey } from './gateway-calls.ts';
import { GatewayError } from './gateway-client-error.ts';
import { checkOf, ignoreAnswer } from './gateway-connection.ts';
import type { GatewayConnection, GatewayRequest } from './gateway-connection.ts';
import { RunAnswer } from './gateway-run-api.ts';
import type { RunRequest } from './gateway-run-api.ts';
import { newId } from './ids.ts';
import { repeat } from './retry-patience.ts';
import type { Patience } from './retry-patience.ts';

export type RunCallParts = {
  connection: GatewayConnection;
  newPatience: () => Patience;
  /** Resolves when the run has ended. */
  waitFor: (runId: string, options: { signal: AbortSignal | undefined }) => Promise<unknown>;
  /** Tries to, for a moment. */
  callOff: (runId: string) => Promise<void>;
};

export type RunCallOptions = {
  signal?: AbortSignal | undefined;
  idempotencyKey?: string | null | undefined;
};

export type RunCall = (request: RunRequest, options?: RunCallOptions) => Promise<RunAnswer>;

/** What is known of the run while its answer is not there. */
type Trace = { runId: string | null; mayBeThere: boolean };

const checkAnswer = checkOf(RunAnswer);
/** Longer than this on one connection, its end is waited for with short requests instead. */
const firstSilenceMs = 120_000;
const lookingForMs = 1000;

export function createRunCall(parts: RunCallParts): RunCall {
  const { connection } = parts;
  return async (run, { signal, idempotencyKey } = {}) => {
    signal?.throwIfAborted();
    const request: GatewayRequest = { method: 'POST', path: '/run', json: run, signal };
    if (idempotencyKey === null)
      return connection.ask({ ...request, silenceMs: null }, checkAnswer);
    const keyed = withKey(
      { ...request, silenceMs: firstSilenceMs },
      idempotencyKey ?? newId('key'),
    );
    const trace: Trace = { runId: null, mayBeThere: false };
    try {
      return await askUntilAnswered(parts, keyed, trace);
    } catch (err) {
      // Under a key that nobody else knows it would go on for nobody.
      const isForNobody = signal?.aborted === true && idempotencyKey === undefined;
      if (isForNobody) await endRun(parts, keyed, trace).catch(() => {});
      throw err;
    }
  };
}

function askUntilAnswered(
  { connection, newPatience, waitFor }: RunCallParts,
  keyed: GatewayRequest,
  trace: Trace,
): Promise<RunAnswer> {
  const { signal } = keyed;
  const patience = newPatience();
  let waitedFor: string | null = null;
  const ask = async (): Promise<RunAnswer> => {
    try {
      trace.mayBeThere = true;
      return await connection.ask(keyed, checkAnswer);
    } catch (err) {
      learn(trace, err);
      throw err;
    }
  };
  const attempt = async (): Promise<RunAnswer> => {
    try {
      return await ask();
    } catch (err) {
      const runId = runUnderWay(err);
      if (runId === null) throw err;
      await waitFor(runId, { signal });
      if (runId !== waitedFor) patience.reset();
      waitedFor = runId;
      return await ask();
    }
  };
  return repeat(attempt, { patience, isWorthIt: isWorthRepeatingKeyed, signal });
}

/** Of a conflict: an earlier attempt has started it. */
function runUnderWay(err: unknown): string | null {
  return err instanceof GatewayError && err.code === 'conflict' ? (err.runId ?? null) : null;
}

function learn(trace: Trace, err: unknown): void {
  if (!(err instanceof GatewayError)) return;
  trace.runId = err.runId ?? trace.runId;
  // An answer that names no run says that there is none.
  if (err.status !== null) trace.mayBeThere = false;
}

/** A run whose number is not known yet is found by asking once more, which names it; a first attempt that was not heard starts here. */
async function endRun(
  { connection, callOff }: RunCallParts,
  keyed: GatewayRequest,
  trace: Trace,
): Promise<void> {
  const request = { ...keyed, signal: undefined, silenceMs: lookingForMs };
  for (let tries = 0; tries < 2 && trace.runId === null && trace.mayBeThere; tries += 1) {
    await connection.ask(request, ignoreAnswer).then(
      () => (trace.mayBeThere = false),
      (err: unknown) => learn(trace, err),
    );
  }
  if (trace.runId !== null) await callOff(trace.runId);
}
