// What a request says about how its run is to go: by which key, whether to wait, in which form to answer.
import type { FastifyRequest } from 'fastify';

import type { RunRequest } from '#shared/gateway-run-api.ts';
import { readIdempotencyKey, requestDigest } from '#shared/idempotency-key.ts';

import type { Door } from '../access/door.ts';
import type { KeyedRequest } from '../idempotency/idempotency-keys.ts';
import type { RunCall } from '../runs/run-intake.ts';

export type RunPost = FastifyRequest<{ Body: RunRequest }>;

/** Throws `invalid_request` for a key that is none. */
export function keyedRequestOf(request: RunPost, path: string, appId: number): KeyedRequest | null {
  const key = readIdempotencyKey(request.headers['idempotency-key']);
  if (key === null) return null;
  return {
    place: { scope: `app:${appId}`, path, key },
    requestSha256: requestDigest(JSON.parse(JSON.stringify(request.body))),
  };
}

export function runCallOf(
  request: RunPost,
  door: Door,
): Pick<RunCall, 'app' | 'address' | 'requestId' | 'traceparent' | 'request'> {
  return {
    app: door.appOf(request),
    address: door.addressOf(request),
    requestId: request.id,
    traceparent: readTraceparent(request.headers['traceparent']),
    request: request.body,
  };
}

/** Asked for with `Accept`, which may name other types as well. */
export function wantsEvents({ headers }: FastifyRequest): boolean {
  return (headers.accept ?? '').split(',').some((range) => {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
    return type === 'text/event-stream' && !parameters.some((each) => /^q=0(\.0*)?$/.test(each));
  });
}

/** `Prefer: respond-async` of RFC 7240. */
export function prefersAsync({ headers }: FastifyRequest): boolean {
  const prefer = headers['prefer'];
  return [prefer ?? '']
    .flat()
    .join(',')
    .split(',')
    .some((preference) => preference.split(';', 1)[0]?.trim().toLowerCase() === 'respond-async');
}

const traceparentForm =
  /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

/** W3C Trace Context; anything else is as good as none. */
function readTraceparent(header: string | string[] | undefined): string | null {
  return typeof header === 'string' && traceparentForm.test(header) ? header : null;
}
