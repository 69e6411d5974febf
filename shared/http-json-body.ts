// The one way a JSON body comes in: strict about type, encoding, bytes and structure.
import { isUtf8 } from 'node:buffer';

import type { FastifyRequest } from 'fastify';

import { requestError } from './errors.ts';
import { findJsonFault } from './json-guard.ts';
import { findUnsafeValue } from './json-text.ts';

const jsonMediaType =
  /^application\/json[\t ]*(?:;[\t ]*(?:charset[\t ]*=[\t ]*"?utf-8"?[\t ]*)?)?$/i;

export function readJsonBody(request: FastifyRequest, bytes: Buffer): unknown {
  // Nobody reads it; an error about it would hide the 404.
  if (request.is404) {
    return undefined;
  }
  requireJson(request);
  // Clients that send the same headers with everything.
  if (bytes.length === 0 && request.routeOptions.schema?.body === undefined) {
    return undefined;
  }
  if (!isUtf8(bytes)) {
    throw bodyError('is not valid UTF-8');
  }
  const text = bytes.toString('utf8');
  const fault = findJsonFault(text);
  if (fault !== null) {
    throw bodyError(`is refused: ${fault}`);
  }
  const body = parse(text);
  const unsafe = findUnsafeValue(body);
  if (unsafe !== null) {
    const { field, reason } = unsafe;
    throw requestError('invalid_request', `${field} ${reason}`, { details: { field } });
  }
  return body;
}

function requireJson(request: FastifyRequest): void {
  const encoding = request.headers['content-encoding'];
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
    throw requestError(
      'unsupported_media_type',
      'Content-Encoding is not supported: send the body as it is',
    );
  }
  if (!jsonMediaType.test(request.headers['content-type'] ?? '')) {
    throw requestError('unsupported_media_type', 'the body must be application/json in UTF-8');
  }
}

function parse(text: string): unknown {
  if (text === '') {
    throw bodyError('is empty');
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    // V8's own message quotes the body.
    const position = /position \d+/.exec(String(cause))?.[0];
    throw bodyError(`is not valid JSON${position === undefined ? '' : ` (at ${position})`}`);
  }
}

function bodyError(reason: string): Error {
  return requestError('invalid_request', `the body ${reason}`, { details: { field: 'body' } });
}
