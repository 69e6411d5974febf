import type { StoredFile } from '../files/file-store.ts';

/** What an app is told of a file, in the answer to its upload and in the list. */
export function fileDescription({ fileToken, name, mediaType, size, sha256 }: StoredFile) {
  return { file_token: fileToken, name, media_type: mediaType, size, sha256 };
}
