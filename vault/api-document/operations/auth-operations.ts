import { cookieSecurity } from '../route-access.ts';
import { guarded, keyed } from '../vault-operations.ts';
import type { VaultOperations } from '../vault-operations.ts';

const noKey = 'It holds a password: a repetition is a new request, with or without a key.';
const joinErrors = ['unauthorized', 'too_many_attempts', 'conflict'] as const;

export const authOperations: VaultOperations = {
  'POST /api/v1/auth/login': {
    id: 'signIn',
    tag: 'auth',
    summary: 'Sign in with a name and a password',
    description:
      'The same answer whatever is wrong. Wrong passwords make the next ones slower, by account and by address. The refresh token comes as a cookie.',
    answers: { 200: { description: 'An access token.', headers: ['Set-Cookie'] } },
    errors: ['unauthorized', 'too_many_attempts'],
  },
  'POST /api/v1/auth/refresh': {
    id: 'refreshSignIn',
    tag: 'auth',
    summary: 'Stay signed in',
    description: 'Each refresh token works once: one that comes a second time ends the sign-in.',
    answers: {
      200: { description: 'Another access token, and another cookie.', headers: ['Set-Cookie'] },
    },
    security: cookieSecurity,
    errors: ['unauthorized'],
  },
  'POST /api/v1/auth/logout': {
    ...{ id: 'signOut', tag: 'auth', summary: 'Sign out' },
    answers: {
      204: { description: 'The sign-in has ended, and its tokens.', headers: ['Set-Cookie'] },
    },
    security: cookieSecurity,
    errors: ['unauthorized'],
  },
  'POST /api/v1/auth/setup': {
    id: 'setUp',
    tag: 'auth',
    summary: 'Make the first account, by the link that the vault has printed',
    description: noKey,
    answers: { 201: { description: 'The admin is signed in.', headers: ['Set-Cookie'] } },
    errors: joinErrors,
  },
  'POST /api/v1/auth/accept-invitation': {
    id: 'acceptInvitation',
    tag: 'auth',
    summary: 'Make an account by an invitation',
    description: noKey,
    answers: { 201: { description: 'The new user is signed in.', headers: ['Set-Cookie'] } },
    errors: joinErrors,
  },
  'POST /api/v1/auth/reset-password': {
    id: 'resetPassword',
    tag: 'auth',
    summary: 'Set a new password, by a link',
    description: `Everywhere else the user is signed out. ${noKey}`,
    answers: { 204: { description: 'The password is the new one: sign in with it.' } },
    errors: ['unauthorized', 'too_many_attempts'],
  },
  'POST /api/v1/auth/login-link': {
    id: 'signInByLink',
    tag: 'auth',
    summary: 'Sign in by a link that was made on the host',
    description:
      'It works once, for an hour: a repetition is a new request, with or without a key.',
    answers: { 200: { description: 'An access token.', headers: ['Set-Cookie'] } },
    errors: ['unauthorized', 'too_many_attempts'],
  },
  'GET /api/v1/auth/me': {
    ...{ id: 'getMe', tag: 'auth', summary: 'Whose token it is, and what it may do' },
    answers: { 200: { description: 'The user or key.', headers: ['ETag'] } },
  },
  'PATCH /api/v1/auth/me': {
    ...{ id: 'changeMe', tag: 'auth', summary: 'Change how one is called' },
    answers: {
      200: { description: 'The user as it is now.', headers: ['ETag', 'Idempotent-Replayed'] },
    },
    headers: guarded.headers,
    errors: guarded.errors,
  },
  'POST /api/v1/auth/password': {
    id: 'changePassword',
    tag: 'auth',
    summary: 'Change the password of the own account',
    description: `Everywhere else one is signed out. ${noKey}`,
    answers: { 204: { description: 'The password is the new one.' } },
  },
  'GET /api/v1/auth/sign-ins': {
    ...{ id: 'listSignIns', tag: 'auth', summary: 'List where one is signed in' },
    answers: { 200: { description: 'A page of sign-ins.' } },
  },
  'DELETE /api/v1/auth/sign-ins/{sign_in_id}': {
    ...{ id: 'endSignIn', tag: 'auth', summary: 'Sign out somewhere else' },
    answers: {
      204: { description: 'That sign-in has ended.', headers: ['Idempotent-Replayed'] },
    },
    headers: keyed.headers,
    errors: ['not_found', ...keyed.errors],
  },
};
