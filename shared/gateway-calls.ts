// Requests that are repeated when that may help, and only where doing them twice is doing them once.
import { GatewayError, isWorthRepeating } from './gateway-client-error.ts';
import type { AnswerCheck, GatewayConnection, GatewayRequest } from './gateway-connection.ts';
import { repeat } from './retry-patience.ts';
import type { Patience } from './retry-patience.ts';

export type GatewayCalls = {
  /**
   * For what changes nothing, or the same however often. A repetition may fail because the first attempt was heard after all:
   * `isDone` tells by the failure.
   */
  ask: <T>(
    request: GatewayRequest,
    check: AnswerCheck<T>,
    isDone?: { code: string; answer: T },
  ) => Promise<T>;
  /** For what starts something: the key makes it one thing. Without a key there is one attempt. */
  start: <T>(request: GatewayRequest, check: AnswerCheck<T>, key: string | null) => Promise<T>;
};

export function createGatewayCalls(
  connection: Pick<GatewayConnection, 'ask'>,
  newPatience: () => Patience,
): GatewayCalls {
  return {
    ask(request, check, isDone) {
      let isFirst = true;
      const attempt = async () => {
        try {
          return await connection.ask(request, check);
        } catch (err) {
          if (!isFirst && isDone !== undefined && isCode(err, isDone.code)) return isDone.answer;
          throw err;
        } finally {
          isFirst = false;
        }
      };
      return repeat(attempt, {
        ...{ patience: newPatience(), isWorthIt: isWorthRepeating, signal: request.signal },
      });
    },
    start(request, check, key) {
      if (key === null) return connection.ask(request, check);
      return repeat(() => connection.ask(withKey(request, key), check), {
        ...{ patience: newPatience(), isWorthIt: isWorthRepeatingKeyed, signal: request.signal },
      });
    },
  };
}

/** Throws TypeError for a key that the gateway would not take. */
export function withKey(request: GatewayRequest, key: string): GatewayRequest {
  if (!/^[\u0020-\u007e]{1,255}$/.test(key)) {
    throw new TypeError('The idempotencyKey must be 1 to 255 printable ASCII characters.');
  }
  return { ...request, headers: { ...request.headers, 'idempotency-key': key } };
}

/** While the first attempt is being taken care of, the second is told to wait. */
export function isWorthRepeatingKeyed(err: unknown): err is GatewayError {
  return isWorthRepeating(err) || isCode(err, 'conflict');
}

function isCode(err: unknown, code: string): boolean {
  return err instanceof GatewayError && err.code === code;
}
