import { fastifyMultipart } from '@fastify/multipart';
import type { FastifyReply, FastifyRequest } from 'fastify';

import { clientGoneSignal } from '#shared/client-gone.ts';
import { isoTime } from '#shared/clock.ts';
import type { Clock } from '#shared/clock.ts';
import { AppError, requestError } from '#shared/errors.ts';
import { discardRestOfBody } from '#shared/http-rest-of-body.ts';
import type { HttpApp } from '#shared/http-server.ts';

import type { Door } from '../access/door.ts';
import { cleanFileName } from '../files/file-name.ts';
import type { FileShelf } from '../files/file-shelf.ts';
import type { FilePlace, StoredFile } from '../files/file-store.ts';
import { tooLarge } from '../files/incoming-file.ts';
import { outcomeError } from '../runs/outcome.ts';
import { FileListAnswer, FileListQuery, FileParams, UploadAnswer } from './file-schema.ts';
import type { FileItem } from './file-schema.ts';
import { readUploadForm } from './upload-form.ts';

export type FileRouteOptions = {
  shelf: FileShelf;
  door: Door;
  uploadBytes: number;
  hasDiskSpace: () => Promise<boolean>;
  clock: Clock;
};

export async function fileRoutes(app: HttpApp, options: FileRouteOptions): Promise<void> {
  const { shelf, door } = options;
  const config = { guard: 'app' } as const;

  await app.register(uploadRoute, options);
  app.get(
    '/files',
    { config, schema: { querystring: FileListQuery, response: { 200: FileListAnswer } } },
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

/** In a scope of its own: forms are taken here and nowhere else. */
async function uploadRoute(app: HttpApp, options: FileRouteOptions): Promise<void> {
  const { shelf, door, uploadBytes, clock } = options;
  app.removeAllContentTypeParsers();
  await app.register(fastifyMultipart, { throwFileSizeLimit: false });
  app.addContentTypeParser('*', (_request, _body, done) => done(notAForm()));
  const closing = new AbortController();
  app.addHook('preClose', (done) => {
    closing.abort(requestError('draining', 'the service is stopping: ask again soon'));
    done();
  });

  const receive = async (request: FastifyRequest, reply: FastifyReply): Promise<UploadAnswer> => {
    requireAcceptable(request, uploadBytes);
    if (!(await options.hasDiskSpace())) throw diskFull();
    const { appId } = door.appOf(request);
    const stop = AbortSignal.any([clientGoneSignal(reply), closing.signal]);
    await using incoming = shelf.receive(appId);
    const { fileName, ttlSecs } = await readUploadForm(request, {
      fileBytesMax: uploadBytes,
      write: incoming.write,
      stop,
    });
    const name = cleanFileName(fileName);
    const file = await shelf.keep(incoming, { appId, name, ttlSecs });
    return { ...description(file), ttl_secs: ttlSecs };
  };
  app.post(
    '/files',
    { config: { guard: 'app' }, schema: { response: { 201: UploadAnswer } } },
    async (request, reply) => {
      try {
        return await reply.code(201).send(await receive(request, reply));
      } catch (err) {
        await discardRestOfBody(reply, clock);
        throw isDiskFull(err) ? diskFull() : err;
      }
    },
  );
}

/** A form is a little longer than its file. */
const formBytes = 2 ** 20;

function requireAcceptable(request: FastifyRequest, uploadBytes: number): void {
  const { headers } = request;
  // Ignoring it would let a retry upload twice.
  if (headers['idempotency-key'] !== undefined) {
    throw requestError('invalid_request', 'this version does not know Idempotency-Key yet', {
      details: { field: 'Idempotency-Key' },
    });
  }
  const encoding = headers['content-encoding']?.toLowerCase() ?? 'identity';
  if (!request.isMultipart() || encoding !== 'identity') throw notAForm();
  if (Number(headers['content-length'] ?? 0) > uploadBytes + formBytes) throw tooLarge(uploadBytes);
}

function notAForm(): Error {
  const message = 'send the file as the field `file` of a multipart/form-data form, not compressed';
  return requestError('unsupported_media_type', message);
}

function diskFull(): Error {
  return new AppError(outcomeError('disk_full'), 'The disk of the gateway is nearly full.');
}

function isDiskFull(err: unknown): boolean {
  return err instanceof Error && 'code' in err && (err.code === 'ENOSPC' || err.code === 'EDQUOT');
}

function description({ fileToken, name, mediaType, size, sha256 }: StoredFile) {
  return { file_token: fileToken, name, media_type: mediaType, size, sha256 };
}

function fileItem(file: StoredFile): FileItem {
  return { ...description(file), created_at: file.createdAt, expires_at: file.expiresAt };
}

/** Not the number of the row, which would tell how many files others have. */
function cursorOf({ createdAt, fileToken }: FilePlace): string {
  return `${Date.parse(createdAt)}-${fileToken}`;
}

function placeOf(cursor: string): FilePlace {
  const at = cursor.indexOf('-');
  return { createdAt: isoTime(Number(cursor.slice(0, at))), fileToken: cursor.slice(at + 1) };
}
