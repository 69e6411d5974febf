// The gateway as an app uses it: runs, their events, files, conversations. Requests are repeated where that is safe, runs never are.
// How to use it: docs/typescript-client.md.
import { systemClock } from './clock.ts';
import type { Clock } from './clock.ts';
import { AppSelf } from './gateway-app-api.ts';
import { createGatewayCalls } from './gateway-calls.ts';
import { checkOf, createGatewayConnection } from './gateway-connection.ts';
import { createFileClient } from './gateway-file-client.ts';
import type { FileClient } from './gateway-file-client.ts';
import { HealthSummary } from './gateway-health-api.ts';
import { createRunClient } from './gateway-run-client.ts';
import type { CallOptions, RunClient } from './gateway-run-client.ts';
import { createSessionClient } from './gateway-session-client.ts';
import type { SessionClient } from './gateway-session-client.ts';
import { createPatience, usualPatience } from './retry-patience.ts';
import type { PatienceLimits } from './retry-patience.ts';

export type GatewayClientOptions = {
  /** `http(s)://host[:port]`, with a path where a proxy has put the gateway under one. */
  url: string;
  token: string;
  patience?: Partial<PatienceLimits>;
  clock?: Clock;
  /** From 0 to below 1. */
  random?: () => number;
};

export type GatewayClient = RunClient &
  FileClient &
  SessionClient &
  AsyncDisposable & {
    /** What the gateway knows of the app itself: its limits, its queue, its use. */
    me: (options?: CallOptions) => Promise<AppSelf>;
    /** As it is now: never asked twice. */
    health: (options?: CallOptions) => Promise<HealthSummary>;
    /** Breaks off what is under way; it fails with `closed`. */
    close: () => Promise<void>;
  };

const checkHealth = checkOf(HealthSummary);
const checkSelf = checkOf(AppSelf);

/** Every method throws GatewayError, or what its signal was aborted with. Throws TypeError for an address that is none. */
export function createGatewayClient(options: GatewayClientOptions): GatewayClient {
  const { url, token, clock: given = systemClock, random = Math.random } = options;
  const connection = createGatewayConnection({ url, token }, given);
  const closing = new AbortController();
  const clock = pausesUntil(closing.signal, given);
  const limits = { ...usualPatience, ...options.patience };
  const newPatience = () => createPatience({ limits, clock, random });
  const parts = { connection, newPatience, clock };
  const calls = createGatewayCalls(connection, newPatience);
  const close = (): Promise<void> => {
    closing.abort();
    return connection.close();
  };
  return {
    ...createRunClient(parts),
    ...createFileClient(parts),
    ...createSessionClient(parts),
    me: ({ signal } = {}) => calls.ask({ method: 'GET', path: '/me', signal }, checkSelf),
    health: ({ signal } = {}) =>
      connection.ask({ method: 'GET', path: '/healthz', signal }, checkHealth),
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** A clock on which nobody sleeps any longer once that has happened. */
function pausesUntil(over: AbortSignal, clock: Clock): Clock {
  return {
    ...clock,
    sleep: (ms, signal) =>
      clock.sleep(ms, signal === undefined ? over : AbortSignal.any([over, signal])),
  };
}
