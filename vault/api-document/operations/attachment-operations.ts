import { Type } from 'typebox';

import { plainSchema } from '#shared/api-document/plain-schema.ts';

import { keyed } from '../vault-operations.ts';
import type { VaultOperations } from '../vault-operations.ts';

const uploadForm = plainSchema(
  Type.Object(
    {
      file: Type.String({
        contentMediaType: 'application/octet-stream',
        description:
          'UTF-8 text, PNG, JPEG, GIF, WebP or PDF, told by content; at most ATTACHMENT_LIMIT_MB',
      }),
    },
    {
      additionalProperties: false,
      title: 'UploadForm',
      description: 'a form with one file',
      examples: [{ file: 'The gate is open.' }],
    },
  ),
);

const bytes = { schema: { type: 'string' }, example: 'the bytes of the file' };

export const attachmentOperations: VaultOperations = {
  'POST /api/v1/agents/{agent_id}/attachments': {
    id: 'uploadAttachment',
    tag: 'attachments',
    summary: 'Upload a file for a feed',
    description:
      'Name it in `attachments` of an event: until then only its uploader can read it, and after a while it goes.',
    answers: {
      201: {
        description: 'The file was taken in.',
        headers: ['Location', 'Idempotent-Replayed'],
      },
    },
    headers: keyed.headers,
    errors: ['not_found', 'conflict', ...keyed.errors],
    form: uploadForm,
  },
  'GET /api/v1/attachments/{attachment_id}': {
    id: 'getAttachment',
    tag: 'attachments',
    summary: 'Read a file',
    description: 'For whoever may read the feed that it belongs to.',
    answers: {
      200: {
        description: 'The file, byte for byte.',
        headers: ['ETag', 'Content-Disposition'],
        content: { 'text/plain': bytes, 'image/*': bytes, 'application/pdf': bytes },
      },
      304: { description: 'The client has it.', headers: ['ETag'] },
    },
    headers: ['If-None-Match'],
    errors: ['not_found'],
  },
};
