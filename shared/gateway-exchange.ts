// One request to the gateway and its answer, as it arrives. Silence that lasts too long is a connection that is dead.
import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';

import type { Dispatcher } from 'undici';

import type { Clock } from './clock.ts';
import { badAnswer, clientClosed, noAnswer, unreachable } from './gateway-client-error.ts';

export type ExchangeRequest = {
  method: 'GET' | 'POST' | 'DELETE';
  path: string;
  headers?: Record<string, string>;
  body?: string | Readable;
  /** How long nothing may be heard; null for as long as the connection stands. */
  silenceMs: number | null;
  signal?: AbortSignal | undefined;
};

export type Exchange = Disposable & {
  status: number;
  headers: IncomingHttpHeaders;
  /** To be read once. Throws GatewayError when the answer breaks off. */
  chunks: () => AsyncGenerator<Uint8Array, void, undefined>;
};

export type ExchangeParts = {
  dispatcher: Dispatcher;
  origin: string;
  clock: Clock;
};

/** Gives the answer with its body still to come; to be disposed of. Throws GatewayError, or what the signal was aborted with. */
export async function openExchange(
  { dispatcher, origin, clock }: ExchangeParts,
  request: ExchangeRequest,
): Promise<Exchange> {
  const { silenceMs, signal, ...rest } = request;
  const cut = new AbortController();
  const unlink = linkAbort(signal, cut);
  const hear = <T>(work: Promise<T>): Promise<T> => heardWithin(clock, silenceMs, cut, work);
  try {
    const pending = dispatcher.request({
      ...{ ...rest, origin, signal: cut.signal },
      // Silence is measured here, on the clock.
      ...{ headersTimeout: 0, bodyTimeout: 0 },
    });
    const { statusCode, headers, body } = await hear(untilCut(pending, cut.signal));
    // Without a listener, a body that is given up would be an uncaught error.
    body.on('error', () => {});
    return {
      ...{ status: statusCode, headers },
      async *chunks() {
        const iterator: AsyncIterator<Uint8Array> = body[Symbol.asyncIterator]();
        try {
          for (;;) {
            const { done, value } = await hear(iterator.next());
            if (done === true) return;
            yield value;
          }
        } catch (err) {
          throw failureOf(err, cut.signal);
        }
      },
      [Symbol.dispose]() {
        unlink();
        body.destroy();
      },
    };
  } catch (err) {
    unlink();
    throw failureOf(err, cut.signal);
  }
}

/** At most so long; then the connection is cut. */
async function heardWithin<T>(
  clock: Clock,
  silenceMs: number | null,
  cut: AbortController,
  work: Promise<T>,
): Promise<T> {
  if (silenceMs === null) return work;
  const heard = new AbortController();
  clock.sleep(silenceMs, heard.signal).then(
    () => cut.abort(noAnswer(silenceMs)),
    () => {},
  );
  return work.finally(() => heard.abort());
}

/** undici looks at the signal only once it has a connection. */
function untilCut<T>(pending: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const giveUp = (): void => reject(signal.reason);
  signal.addEventListener('abort', giveUp, { once: true });
  if (signal.aborted) giveUp();
  pending.then(resolve, reject);
  return promise.finally(() => signal.removeEventListener('abort', giveUp));
}

function linkAbort(signal: AbortSignal | undefined, cut: AbortController): () => void {
  const abort = (): void => cut.abort(signal?.reason);
  signal?.addEventListener('abort', abort, { once: true });
  if (signal?.aborted === true) abort();
  return () => signal?.removeEventListener('abort', abort);
}

function failureOf(err: unknown, cut: AbortSignal): unknown {
  if (cut.aborted) return cut.reason;
  if (!(err instanceof Error)) return unreachable(err);
  const code = 'code' in err ? err.code : null;
  if (code === 'UND_ERR_CLOSED' || code === 'UND_ERR_DESTROYED') return clientClosed();
  // A request that cannot be sent at all is a mistake of its maker, not of the network.
  if (code === 'UND_ERR_INVALID_ARG') return err;
  return err.name === 'HTTPParserError' ? badAnswer('it is not HTTP', null) : unreachable(err);
}
