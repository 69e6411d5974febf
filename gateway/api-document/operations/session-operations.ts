import type { GatewayOperations } from '../gateway-operations.ts';

export const sessionOperations: GatewayOperations = {
  'POST /sessions': {
    id: 'createSession',
    tag: 'sessions',
    summary: 'Begin a conversation',
    description: [
      'Runs that name the session know what was said in it before, also after a restart of the gateway.',
      'System prompt, model and schema hold for all of them. Its runs are done one at a time, in the order in which they came.',
      'It ends when nobody has used it for a week (SESSION_IDLE_SECS).',
    ].join('\n\n'),
    answers: { 201: { description: 'The session is there.', headers: ['Location'] } },
    errors: ['app_busy', 'conflict', 'disk_full'],
  },
  'GET /sessions': {
    id: 'listSessions',
    tag: 'sessions',
    summary: 'List the sessions of the app, newest first',
    answers: { 200: { description: 'A page of sessions.' } },
  },
  'GET /sessions/{session_id}': {
    id: 'getSession',
    tag: 'sessions',
    summary: 'Read a session',
    answers: { 200: { description: 'The session as it is now.' } },
    errors: ['not_found'],
  },
  'DELETE /sessions/{session_id}': {
    id: 'endSession',
    tag: 'sessions',
    summary: 'End a conversation',
    description: 'Its runs are cancelled, and everything that was said in it is removed.',
    answers: { 204: { description: 'The session has ended.' } },
    errors: ['not_found'],
  },
};
