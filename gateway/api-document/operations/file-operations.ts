import { Type } from 'typebox';

import { plainSchema } from '#shared/api-document/plain-schema.ts';

import type { GatewayOperations } from '../gateway-operations.ts';

const uploadForm = plainSchema(
  Type.Object(
    {
      file: Type.String({
        contentMediaType: 'application/octet-stream',
        description:
          'UTF-8 text, PNG, JPEG, GIF, WebP or PDF, told by content; at most UPLOAD_LIMIT_MB',
      }),
      ttl_secs: Type.Optional(
        Type.Integer({
          minimum: 60,
          maximum: 86_400,
          default: 3600,
          description: 'how long the file is kept',
        }),
      ),
    },
    {
      additionalProperties: false,
      title: 'UploadForm',
      description: 'a form with one file',
      examples: [{ file: 'The gate is open.', ttl_secs: 600 }],
    },
  ),
);

export const fileOperations: GatewayOperations = {
  'POST /files': {
    id: 'uploadFile',
    tag: 'files',
    summary: 'Upload a file',
    description: 'Name its token in `files` of a run. No app sees the files of another.',
    answers: {
      201: { description: 'The file was taken in.', headers: ['Idempotent-Replayed'] },
    },
    headers: ['Idempotency-Key'],
    errors: ['conflict', 'idempotency_mismatch', 'disk_full'],
    form: uploadForm,
  },
  'GET /files': {
    id: 'listFiles',
    tag: 'files',
    summary: 'List the files of the app, newest first',
    answers: { 200: { description: 'A page of files.' } },
  },
  'DELETE /files/{file_token}': {
    id: 'deleteFile',
    tag: 'files',
    summary: 'Remove a file',
    description: 'A run that was accepted keeps its files.',
    answers: { 204: { description: 'The file is gone.' } },
    errors: ['not_found'],
  },
};
