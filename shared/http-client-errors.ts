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
  /** Ends the connection with this answer; without it, once theirs has gone out, where an earlier request still waits for its own. */
  refuse: (socket: Socket, refusal: AppError, requestId: string) => void;
};

export function createClientErrors(
  envelope: ErrorEnvelope,
  newRequestId: () => string,
): ClientErrors {
  const answers = new WeakMap<Socket, ServerResponse>();
  const write = (socket: Socket, refusal: AppError, requestId: string): void => {
    socket.end(rawErrorAnswer(envelope, refusal, requestId), () => {
      socket.destroy();
    });
  };
  const refuse: ClientErrors['refuse'] = (socket, refusal, requestId) => {
    const answer = answers.get(socket);
    if (answer !== undefined && isAwaited(answer)) {
      answer.shouldKeepAlive = false;
      answer.once('finish', () => {
        socket.destroy();
      });
    } else if (!socket.writable || (answer !== undefined && wentOutEarly(answer))) {
      socket.destroy();
    } else {
      write(socket, refusal, requestId);
    }
  };
  return {
    track: (socket, response) => {
      answers.set(socket, response);
    },
    refuse,
    handle: (err, socket) => {
      if (err.code === 'ECONNRESET') socket.destroy();
      else refuse(socket, toAppError(err), newRequestId());
    },
  };
}

/** A whole request before the wrong one still waits for its answer, which ours would be taken for. */
function isAwaited({ req, writableFinished }: ServerResponse): boolean {
  return req.complete && !writableFinished;
}

/** An answer that did not wait for the body of its request. */
function wentOutEarly({ headersSent, req }: ServerResponse): boolean {
  return headersSent && !req.complete;
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
