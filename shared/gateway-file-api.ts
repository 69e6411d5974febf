// What apps ask of the gateway about files, and what it answers.
import { Type } from 'typebox';
import type { Static } from 'typebox';

import { NextPage, pageLimit, Time } from './api-schema.ts';

const fileToken = Type.String({
  description: 'names the file in `files` of a run',
  examples: ['ff_3uZ1cTzq2m0Wk7rYb5vXhQnJ8sLd4aEf'],
});
const fileFields = {
  file_token: fileToken,
  name: Type.String({ description: 'for people and the model', examples: ['notes.txt'] }),
  media_type: Type.String({
    description: 'told by content, not by name',
    examples: ['text/plain'],
  }),
  size: Type.Integer({ minimum: 0, description: 'in bytes', examples: [1024] }),
  sha256: Type.String({
    description: 'of the content, in hexadecimal',
    examples: ['2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824'],
  }),
};

export const UploadAnswer = Type.Object(
  {
    ...fileFields,
    ttl_secs: Type.Integer({
      minimum: 0,
      description: 'how long the file is kept',
      examples: [3600],
    }),
  },
  { title: 'UploadAnswer', description: 'a file that was taken in' },
);
export type UploadAnswer = Static<typeof UploadAnswer>;

export const FileItem = Type.Object(
  { ...fileFields, created_at: Time, expires_at: Time },
  { title: 'FileItem', description: 'a file in a list' },
);
export type FileItem = Static<typeof FileItem>;

export const FileListQuery = Type.Object(
  {
    limit: pageLimit,
    after: Type.Optional(
      Type.String({
        pattern: '^[0-9]{1,13}-ff_[A-Za-z0-9_-]{32}$',
        description: 'the `next` of the page before',
      }),
    ),
  },
  { additionalProperties: false },
);

export const FileList = Type.Object(
  { items: Type.Array(FileItem), next: NextPage },
  { title: 'FileList', description: 'a page of files, newest first' },
);
export type FileList = Static<typeof FileList>;

/** Any text: a token that cannot exist is simply not found. */
export const FileParams = Type.Object({ file_token: fileToken });
