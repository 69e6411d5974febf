// How a client reaches the vault, in Node and in a browser alike: one request and its answer, which is checked before anybody sees it.
import type { Static, TSchema } from 'typebox';
import { Compile } from 'typebox/compile';

import {
  VaultError,
  vaultErrorOf,
  vaultSilent,
  vaultUnreachable,
  parseJson,
} from './vault-client-error.ts';

export type VaultRequest = {
  method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Below /api/v1. */
  path: string;
  json?: unknown;
  headers?: Readonly<Record<string, string>>;
  signal?: AbortSignal | undefined;
};

export type VaultConnection = {
  /** One attempt; gives the body that was answered. Throws VaultError, or what the signal was aborted with. */
  ask: <T extends TSchema>(request: VaultRequest, answer: T) => Promise<Static<T>>;
  /** For an answer that goes on: the status is 2xx. Ends with a VaultError when nothing is heard for long. */
  open: (request: VaultRequest) => Promise<Response>;
};

export type VaultConnectionOptions = {
  /** `http(s)://host[:port]`; '' for the page's own vault. */
  url: string;
  /** Asked at each request. */
  token: () => string | null;
  answerWithinMs?: number;
};

export function createVaultConnection(options: VaultConnectionOptions): VaultConnection {
  const { url, token, answerWithinMs = 30_000 } = options;
  const base = `${url.replace(/\/+$/, '')}/api/v1`;

  const send = async (request: VaultRequest, late: AbortController): Promise<Response> => {
    const { method = 'GET', path, json, headers = {}, signal } = request;
    const bearer = token();
    const timer = setTimeout(() => late.abort(vaultSilent(answerWithinMs)), answerWithinMs);
    try {
      const response = await fetch(`${base}${path}`, {
        method,
        headers: {
          ...(bearer === null ? {} : { authorization: `Bearer ${bearer}` }),
          ...(json === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(json === undefined ? {} : { body: JSON.stringify(json) }),
        signal: signal === undefined ? late.signal : AbortSignal.any([signal, late.signal]),
      });
      if (response.ok) return response;
      throw vaultErrorOf(response.status, response.headers, await response.text());
    } catch (err) {
      signal?.throwIfAborted();
      if (late.signal.aborted) throw late.signal.reason;
      throw err instanceof VaultError ? err : vaultUnreachable(err);
    } finally {
      clearTimeout(timer);
    }
  };
  return {
    open: (request) => send(request, new AbortController()),
    async ask(request, answer) {
      const response = await send(request, new AbortController());
      const text = await response.text().catch((err: unknown) => {
        request.signal?.throwIfAborted();
        throw vaultUnreachable(err);
      });
      const body = text === '' ? null : parseJson(text);
      const check = Compile(answer);
      if (check.Check(body)) return body;
      const [fault] = check.Errors(body);
      const where = fault?.instancePath === '' ? 'it' : `its ${fault?.instancePath}`;
      const message = `The answer is not one of the vault: ${where} ${fault?.message ?? 'is not as it should be'}.`;
      throw new VaultError('bad_answer', message, { status: response.status, retryable: false });
    },
  };
}
