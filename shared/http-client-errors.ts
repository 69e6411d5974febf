// Requests that Node's parser refuses or gives up waiting for: no route is ever entered.
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

import { requestError } from './errors.ts';
import type { AppError } from './errors.ts';
import { rawErrorAnswer } from './http-error-answer.ts';
import type { ErrorEnvelope } from './http-error-answer.ts';

export type ClientErrors = {
  /** Remembers the newest answer of a connection. */
  track: (socket: Socket, response: ServerResponse) => void;
  handle: (err: Error & { code?: string }, socket: Socket) => void;
};

export function createClientErrors(
  envelope: ErrorEnvelope,
  newRequestId: () => string,
): ClientErrors {
  const answers = new WeakMap<Socket, ServerResponse>();
  return {
    track: (socket, response) => {
      answers.set(socket, response);
    },
    handle: (err, socket) => {
      if (err.code === 'ECONNRESET' || !socket.writable || hasAnswered(answers.get(socket))) {
        socket.destroy();
        return;
      }
      const text = rawErrorAnswer(envelope, toAppError(err), newRequestId());
      socket.end(text, () => {
        socket.destroy();
      });
    },
  };
}

// An answer is under way, or went out while the body of its request was still coming.
function hasAnswered(answer: ServerResponse | undefined): boolean {
  return (
    answer !== undefined && answer.headersSent && (!answer.writableFinished || !answer.req.complete)
  );
}

function toAppError(err: { code?: string }): AppError {
  switch (err.code) {
    case 'HPE_HEADER_OVERFLOW':
      return requestError('headers_too_large', 'the headers are too large');
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return requestError('payload_too_large', 'the chunk extensions are too large');
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return requestError('request_timeout', 'the request took too long to arrive');
    case undefined:
    default:
      return requestError('invalid_request', 'this is not well-formed HTTP');
  }
}
