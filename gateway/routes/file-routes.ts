import { isoTime } from '#shared/clock.ts';
import { FileList, FileListQuery, FileParams } from '#shared/gateway-file-api.ts';
import type { FileItem } from '#shared/gateway-file-api.ts';
import type { HttpApp } from '#shared/http-server.ts';

import type { Door } from '../access/door.ts';
import type { FileShelf } from '../files/file-shelf.ts';
import type { FilePlace, StoredFile } from '../files/file-store.ts';
import { fileDescription } from './file-description.ts';

export type FileRouteOptions = { shelf: FileShelf; door: Door };

export async function fileRoutes(app: HttpApp, { shelf, door }: FileRouteOptions): Promise<void> {
  const config = { guard: 'app' } as const;

  app.get(
    '/files',
    { config, schema: { querystring: FileListQuery, response: { 200: FileList } } },
    (request, reply) => {
      const { after, limit } = request.query;
      const { appId } = door.appOf(request);
      const { items, next } = shelf.list(appId, after === undefined ? null : placeOf(after), limit);
      void reply.send({ items: items.map(fileItem), next: next === null ? null : cursorOf(next) });
    },
  );
  app.delete(
    '/files/:file_token',
    { config, schema: { params: FileParams } },
    async (request, reply) => {
      await shelf.remove(door.appOf(request).appId, request.params.file_token);
      return reply.code(204).send();
    },
  );
}

function fileItem(file: StoredFile): FileItem {
  return { ...fileDescription(file), created_at: file.createdAt, expires_at: file.expiresAt };
}

/** Not the number of the row, which would tell how many files others have. */
function cursorOf({ createdAt, fileToken }: FilePlace): string {
  return `${Date.parse(createdAt)}-${fileToken}`;
}

function placeOf(cursor: string): FilePlace {
  const at = cursor.indexOf('-');
  return { createdAt: isoTime(Number(cursor.slice(0, at))), fileToken: cursor.slice(at + 1) };
}
