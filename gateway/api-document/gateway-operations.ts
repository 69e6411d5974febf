// What the operations of the gateway are made of.
import type { Operations } from '#shared/api-document/operation.ts';

import type { AnswerHeader, RequestHeader } from './api-headers.ts';
import type { ErrorCode } from './failures.ts';

export const tags = {
  runs: 'Runs of Claude for an app: start them, wait for them, read them, end them.',
  sessions: 'Conversations: runs that know what was said before.',
  files: 'Files that a run can be given.',
  admin: 'For the operator, with the admin token.',
  health: 'How the gateway is. No token is needed.',
  metrics: 'Numbers for Prometheus.',
  document: 'This document.',
} as const;

export type GatewayOperations = Operations<{
  tag: keyof typeof tags;
  error: ErrorCode;
  requestHeader: RequestHeader;
  answerHeader: AnswerHeader;
}>;
