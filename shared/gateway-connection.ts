// How the client reaches the gateway: the address, the token, and answers that are checked before anybody sees them.
import type { Readable } from 'node:stream';

import type { Static, TSchema } from 'typebox';
import { Compile } from 'typebox/compile';
import { Pool } from 'undici';

import type { Clock } from './clock.ts';
import { badAnswer, errorOfAnswer, parseJson } from './gateway-client-error.ts';
import { openExchange } from './gateway-exchange.ts';
import type { Exchange, ExchangeRequest } from './gateway-exchange.ts';

export type GatewayAddress = { url: string; token: string };

export type GatewayRequest = {
  method: ExchangeRequest['method'];
  path: string;
  json?: unknown;
  /** Makes it anew for each attempt. */
  body?: () => Readable;
  headers?: Record<string, string>;
  /** How long nothing may be heard; null for no limit. */
  silenceMs?: number | null;
  signal?: AbortSignal | undefined;
};

/** Gives what was answered when it is what the schema says. */
export type AnswerCheck<T> = (value: unknown, status: number) => T;

export type GatewayConnection = {
  /** One attempt. Throws GatewayError. */
  ask: <T>(request: GatewayRequest, check: AnswerCheck<T>) => Promise<T>;
  /** For an answer that goes on; the status is 2xx. */
  open: (request: GatewayRequest) => Promise<Exchange>;
  close: () => Promise<void>;
};

/** The gateway's heartbeats come every ten seconds. */
export const usualSilenceMs = 30_000;

const idleMs = 4000;

/** Throws TypeError for an address that is none. */
export function createGatewayConnection(
  { url, token }: GatewayAddress,
  clock: Clock,
): GatewayConnection {
  const { origin, basePath } = readUrl(url);
  if (!/^[\u0021-\u007e]+$/.test(token)) throw new TypeError('The token must be printable ASCII.');
  // HTTP/1.1: one connection for each request under way, which ends with it when it is given up.
  // An idle one is soon given up, so that a network that is gone does not leave many that are dead.
  const dispatcher = new Pool(origin, { allowH2: false, keepAliveMaxTimeout: idleMs });

  const open: GatewayConnection['open'] = async (request) => {
    const exchange = await openExchange(
      { dispatcher, origin, clock },
      exchangeOf(request, basePath, token),
    );
    if (exchange.status >= 200 && exchange.status < 300) return exchange;
    using failed = exchange;
    throw errorOfAnswer(failed.status, failed.headers, await textOf(failed));
  };
  return {
    open,
    async ask(request, check) {
      using exchange = await open(request);
      const text = await textOf(exchange);
      return check(parseJson(text), exchange.status);
    },
    close: () => dispatcher.destroy(),
  };
}

export function checkOf<T extends TSchema>(schema: T): AnswerCheck<Static<T>> {
  const validator = Compile(schema);
  return (value, status) => {
    if (validator.Check(value)) return value;
    const [fault] = validator.Errors(value);
    const where = fault?.instancePath === '' ? 'it' : `its ${fault?.instancePath}`;
    throw badAnswer(`${where} ${fault?.message ?? 'is not as it should be'}`, status);
  };
}

/** For an answer that says nothing. */
export function ignoreAnswer(): void {}

function readUrl(text: string): { origin: string; basePath: string } {
  const url = URL.canParse(text) ? new URL(text) : null;
  const isWeb = url?.protocol === 'http:' || url?.protocol === 'https:';
  // It is not repeated here: there may be a secret in it.
  if (url === null || !isWeb || url.username + url.password + url.search + url.hash !== '') {
    throw new TypeError('The url must be http(s)://host[:port], with neither a name nor a query.');
  }
  return { origin: url.origin, basePath: url.pathname.replace(/\/+$/, '') };
}

function exchangeOf(request: GatewayRequest, basePath: string, token: string): ExchangeRequest {
  const { method, path, json, body, silenceMs = usualSilenceMs, signal } = request;
  return {
    ...{ method, signal, silenceMs, path: `${basePath}${path}` },
    headers: {
      authorization: `Bearer ${token}`,
      ...(json === undefined ? {} : { 'content-type': 'application/json' }),
      ...request.headers,
    },
    ...(json === undefined ? {} : { body: JSON.stringify(json) }),
    ...(body === undefined ? {} : { body: body() }),
  };
}

async function textOf({ chunks }: Exchange): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks()) parts.push(chunk);
  return Buffer.concat(parts).toString('utf8');
}
