import { Type } from 'typebox';
import type { Static } from 'typebox';

const description = {
  file_token: Type.String(),
  name: Type.String(),
  media_type: Type.String(),
  size: Type.Integer(),
  sha256: Type.String(),
};

export const UploadAnswer = Type.Object({ ...description, ttl_secs: Type.Integer() });
export type UploadAnswer = Static<typeof UploadAnswer>;

export const FileItem = Type.Object({
  ...description,
  created_at: Type.String(),
  expires_at: Type.String(),
});
export type FileItem = Static<typeof FileItem>;

export const FileListQuery = Type.Object(
  {
    limit: Type.Integer({ minimum: 1, maximum: 200, default: 50 }),
    after: Type.Optional(Type.String({ pattern: '^[0-9]{1,13}-ff_[A-Za-z0-9_-]{32}$' })),
  },
  { additionalProperties: false },
);

export const FileListAnswer = Type.Object({
  items: Type.Array(FileItem),
  next: Type.Union([Type.String(), Type.Null()]),
});

/** Any text: a token that cannot exist is simply not found. */
export const FileParams = Type.Object({ file_token: Type.String() });
