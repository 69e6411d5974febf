// What the operations of the vault are made of.
import type { Operations } from '#shared/api-document/operation.ts';

import type { AnswerHeader, RequestHeader } from './api-headers.ts';
import type { ErrorCode } from './failures.ts';

export const tags = {
  agents: 'Agents: made, named, put in order and put away; how they are.',
  events: 'Feeds: what was said to an agent and what it said and did, in one order.',
  claims: 'Who answers a message: exactly one of many, for a while.',
  attachments: 'Files of events.',
  hosts: 'What watchers report of their hosts.',
  auth: 'Signing in, and what everybody may do with their own account.',
  users: 'Accounts and invitations, as admins see to them.',
  keys: 'Keys for programs.',
  audit: 'Who changed what.',
  health: 'How the vault is. No token is needed.',
  document: 'This document.',
} as const;

export type VaultOperations = Operations<{
  tag: keyof typeof tags;
  error: ErrorCode;
  requestHeader: RequestHeader;
  answerHeader: AnswerHeader;
}>;

/** Of every route that changes something. */
export const keyed = {
  headers: ['Idempotency-Key'],
  errors: ['idempotency_mismatch'],
} as const;

/** Of those that change what somebody else may have changed meanwhile. */
export const guarded = {
  headers: ['If-Match', ...keyed.headers],
  errors: ['precondition_required', 'precondition_failed', ...keyed.errors],
} as const;
