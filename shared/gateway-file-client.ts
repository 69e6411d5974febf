// Files of an app at the gateway.
import { createGatewayCalls } from './gateway-calls.ts';
import { checkOf, ignoreAnswer } from './gateway-connection.ts';
import type { GatewayConnection } from './gateway-connection.ts';
import { FileList } from './gateway-file-api.ts';
import type { FileItem, UploadAnswer } from './gateway-file-api.ts';
import { withQuery } from './gateway-path.ts';
import type { CallOptions } from './gateway-run-client.ts';
import type { UploadSource } from './gateway-upload-form.ts';
import { uploadFile } from './gateway-upload.ts';
import type { UploadOptions } from './gateway-upload.ts';
import { itemsOfPages } from './item-pages.ts';
import type { Patience } from './retry-patience.ts';

export type FilePage = CallOptions & { limit?: number | undefined; after?: string | undefined };

export type FileClient = {
  upload: (source: UploadSource, options: UploadOptions) => Promise<UploadAnswer>;
  /** A page of them, newest first. */
  files: (page?: FilePage) => Promise<FileList>;
  /** All of them, fetched page by page of so many. */
  allFiles: (page?: Omit<FilePage, 'after'>) => AsyncGenerator<FileItem, void, undefined>;
  deleteFile: (fileToken: string, options?: CallOptions) => Promise<void>;
};

const checkList = checkOf(FileList);

export function createFileClient(parts: {
  connection: GatewayConnection;
  newPatience: () => Patience;
}): FileClient {
  const calls = createGatewayCalls(parts.connection, parts.newPatience);
  const files: FileClient['files'] = ({ signal, ...query } = {}) =>
    calls.ask({ method: 'GET', path: withQuery('/files', query), signal }, checkList);
  return {
    upload: (source, options) => uploadFile(parts, source, options),
    files,
    allFiles: (page) => itemsOfPages((after) => files({ ...page, after })),
    deleteFile(fileToken, { signal } = {}) {
      const path = `/files/${encodeURIComponent(fileToken)}`;
      const isDone = { code: 'not_found', answer: undefined };
      return calls.ask({ method: 'DELETE', path, signal }, ignoreAnswer, isDone);
    },
  };
}
