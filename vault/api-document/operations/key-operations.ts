import { guarded, keyed } from '../vault-operations.ts';
import type { VaultOperations } from '../vault-operations.ts';

const shownOnce =
  'The key is shown this once: a repetition under the same `Idempotency-Key` is refused with 409.';

export const keyOperations: VaultOperations = {
  'GET /api/v1/keys': {
    id: 'listKeys',
    tag: 'keys',
    summary: 'List the keys',
    description:
      'Those of the caller; with the permission `keys:manage` those of all, or of one `owner`.',
    answers: { 200: { description: 'A page of keys, without their secrets.' } },
  },
  'POST /api/v1/keys': {
    id: 'createKey',
    tag: 'keys',
    summary: 'Make a key',
    description: `It can have no scope that its maker has not. ${shownOnce}`,
    answers: { 201: { description: 'The key.', headers: ['Location', 'ETag'] } },
    headers: keyed.headers,
    errors: ['conflict', ...keyed.errors],
  },
  'GET /api/v1/keys/{key_id}': {
    ...{ id: 'getKey', tag: 'keys', summary: 'Read a key' },
    answers: { 200: { description: 'The key as it is now.', headers: ['ETag'] } },
    errors: ['not_found'],
  },
  'PATCH /api/v1/keys/{key_id}': {
    ...{ id: 'changeKey', tag: 'keys', summary: 'Change what a key is for' },
    answers: {
      200: { description: 'The key as it is now.', headers: ['ETag', 'Idempotent-Replayed'] },
    },
    headers: guarded.headers,
    errors: ['not_found', 'conflict', ...guarded.errors],
  },
  'POST /api/v1/keys/{key_id}/rotate': {
    id: 'rotateKey',
    tag: 'keys',
    summary: 'Give a key a new secret',
    description: `The old one goes on working for \`overlap_secs\`. ${shownOnce}`,
    answers: { 201: { description: 'The new secret.', headers: ['ETag'] } },
    headers: keyed.headers,
    errors: ['not_found', 'conflict', ...keyed.errors],
    hasOptionalBody: true,
  },
  'DELETE /api/v1/keys/{key_id}': {
    ...{ id: 'revokeKey', tag: 'keys', summary: 'Revoke a key' },
    answers: {
      204: { description: 'The key opens nothing any more.', headers: ['Idempotent-Replayed'] },
    },
    headers: guarded.headers,
    errors: ['not_found', 'conflict', ...guarded.errors],
  },
};
