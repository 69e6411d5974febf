// What apps ask of the gateway about files, and what it answers.
import { Type } from 'typebox';
import type { Static } from 'typebox';

import { Count, NextPage, pageLimit, Time } from './api-schema.ts';

const description = {
  file_token: Type.String({ examples: ['ff_3uZ1cTzq2m0Wk7rYb5vXhQnJ8sLd4aEf'] }),
  name: Type.String(),
  media_type: Type.String({
    description: 'told by content, not by name',
    examples: ['text/plain'],
  }),
  size: Count,
  sha256: Type.String(),
};

export const UploadAnswer = Type.Object({ ...description, ttl_secs: Count });
export type UploadAnswer = Static<typeof UploadAnswer>;

export const FileItem = Type.Object({ ...description, created_at: Time, expires_at: Time });
export type FileItem = Static<typeof FileItem>;

export const FileListQuery = Type.Object(
  {
    limit: pageLimit,
    after: Type.Optional(Type.String({ pattern: '^[0-9]{1,13}-ff_[A-Za-z0-9_-]{32}$' })),
  },
  { additionalProperties: false },
);

export const FileList = Type.Object({ items: Type.Array(FileItem), next: NextPage });
export type FileList = Static<typeof FileList>;

/** Any text: a token that cannot exist is simply not found. */
export const FileParams = Type.Object({ file_token: Type.String() });
