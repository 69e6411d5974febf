// Conversations of an app at the gateway. Name one in `session_id` of a run.
import { createGatewayCalls } from './gateway-calls.ts';
import { checkOf, ignoreAnswer } from './gateway-connection.ts';
import type { GatewayConnection } from './gateway-connection.ts';
import { withQuery } from './gateway-path.ts';
import type { CallOptions } from './gateway-run-client.ts';
import { SessionList, SessionView } from './gateway-session-api.ts';
import type { SessionRequest } from './gateway-session-api.ts';
import { itemsOfPages } from './item-pages.ts';
import type { Patience } from './retry-patience.ts';

export type SessionPage = CallOptions & {
  limit?: number | undefined;
  after?: string | undefined;
};

export type SessionClient = {
  /** Never repeated: an answer that is lost leaves a session behind that ends by age. */
  createSession: (request: SessionRequest, options?: CallOptions) => Promise<SessionView>;
  session: (sessionId: string, options?: CallOptions) => Promise<SessionView>;
  /** A page of them, newest first. */
  sessions: (page?: SessionPage) => Promise<SessionList>;
  /** All of them, fetched page by page of so many. */
  allSessions: (page?: Omit<SessionPage, 'after'>) => AsyncGenerator<SessionView, void, undefined>;
  endSession: (sessionId: string, options?: CallOptions) => Promise<void>;
};

const checkView = checkOf(SessionView);
const checkList = checkOf(SessionList);

export function createSessionClient(parts: {
  connection: GatewayConnection;
  newPatience: () => Patience;
}): SessionClient {
  const calls = createGatewayCalls(parts.connection, parts.newPatience);
  const sessions: SessionClient['sessions'] = ({ signal, ...query } = {}) =>
    calls.ask({ method: 'GET', path: withQuery('/sessions', query), signal }, checkList);
  return {
    createSession: (request, { signal } = {}) =>
      parts.connection.ask({ method: 'POST', path: '/sessions', json: request, signal }, checkView),
    session: (sessionId, { signal } = {}) =>
      calls.ask({ method: 'GET', path: pathOf(sessionId), signal }, checkView),
    sessions,
    allSessions: (page) => itemsOfPages((after) => sessions({ ...page, after })),
    endSession(sessionId, { signal } = {}) {
      const isDone = { code: 'not_found', answer: undefined };
      return calls.ask({ method: 'DELETE', path: pathOf(sessionId), signal }, ignoreAnswer, isDone);
    },
  };
}

function pathOf(sessionId: string): string {
  return `/sessions/${encodeURIComponent(sessionId)}`;
}
