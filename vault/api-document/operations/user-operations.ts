import { guarded, keyed } from '../vault-operations.ts';
import type { VaultOperations } from '../vault-operations.ts';

const shownOnce =
  'The link is shown this once: a repetition under the same `Idempotency-Key` is refused with 409.';

export const userOperations: VaultOperations = {
  'GET /api/v1/users': {
    ...{ id: 'listUsers', tag: 'users', summary: 'List the users' },
    answers: { 200: { description: 'A page of users.' } },
  },
  'POST /api/v1/users': {
    id: 'createUser',
    tag: 'users',
    summary: 'Make an account with a password',
    description: 'It holds a password, so no key makes it safe to repeat: its name does.',
    answers: { 201: { description: 'The user.', headers: ['Location', 'ETag'] } },
    errors: ['conflict'],
  },
  'GET /api/v1/users/{user_id}': {
    ...{ id: 'getUser', tag: 'users', summary: 'Read a user' },
    answers: { 200: { description: 'The user as it is now.', headers: ['ETag'] } },
    errors: ['not_found'],
  },
  'PATCH /api/v1/users/{user_id}': {
    id: 'changeUser',
    tag: 'users',
    summary: 'Change the role or the name of a user, disable or enable them',
    description:
      'It counts at once, also for their tokens, keys and open streams. The last admin stays one.',
    answers: {
      200: { description: 'The user as it is now.', headers: ['ETag', 'Idempotent-Replayed'] },
    },
    headers: guarded.headers,
    errors: ['not_found', 'conflict', ...guarded.errors],
  },
  'POST /api/v1/users/{user_id}/password-reset': {
    id: 'offerPasswordReset',
    tag: 'users',
    summary: 'Make a link to a new password',
    description: shownOnce,
    answers: { 201: { description: 'The link, for one use within a day.' } },
    headers: keyed.headers,
    errors: ['not_found', 'conflict', ...keyed.errors],
  },
  'GET /api/v1/invitations': {
    ...{ id: 'listInvitations', tag: 'users', summary: 'List the invitations' },
    answers: { 200: { description: 'A page of invitations, without their links.' } },
  },
  'POST /api/v1/invitations': {
    ...{ id: 'invite', tag: 'users', summary: 'Invite somebody', description: shownOnce },
    answers: { 201: { description: 'The link, for one use.' } },
    headers: keyed.headers,
    errors: ['conflict', ...keyed.errors],
  },
  'DELETE /api/v1/invitations/{invitation_id}': {
    ...{ id: 'revokeInvitation', tag: 'users', summary: 'Take an invitation back' },
    answers: {
      204: { description: 'The link works no more.', headers: ['Idempotent-Replayed'] },
    },
    headers: keyed.headers,
    errors: ['not_found', ...keyed.errors],
  },
};
