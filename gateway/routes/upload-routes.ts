// POST /files: one file in a form, kept once however often the same request comes under the same key.
import type { FastifyReply, FastifyRequest } from 'fastify';

import { clientGoneSignal } from '#shared/client-gone.ts';
import type { Clock } from '#shared/clock.ts';
import { isDiskFull } from '#shared/disk-space.ts';
import { AppError } from '#shared/errors.ts';
import { UploadAnswer } from '#shared/gateway-file-api.ts';
import { discardRestOfBody } from '#shared/http-rest-of-body.ts';
import type { HttpApp } from '#shared/http-server.ts';
import { inProgress, readIdempotencyKey, requestDigest } from '#shared/idempotency-key.ts';
import { replayed, sendAnswer } from '#shared/stored-answer.ts';
import { cleanFileName } from '#shared/uploads/file-name.ts';
import { acceptForms, requireForm } from '#shared/uploads/form-scope.ts';
import { createMeasuredFile } from '#shared/uploads/incoming-file.ts';

import type { Door } from '../access/door.ts';
import type { FileShelf } from '../files/file-shelf.ts';
import type { StoredFile } from '../files/file-store.ts';
import type { IdempotencyKeys } from '../idempotency/idempotency-keys.ts';
import { outcomeError } from '../runs/outcome.ts';
import { fileDescription } from './file-description.ts';
import { readUploadFields } from './upload-fields.ts';
import type { UploadFields } from './upload-fields.ts';

export type UploadRouteOptions = {
  shelf: FileShelf;
  keys: IdempotencyKeys;
  door: Door;
  uploadBytes: number;
  hasDiskSpace: () => Promise<boolean>;
  clock: Clock;
};

type Upload = {
  appId: number;
  key: string | null;
  read: (write: (chunk: Buffer) => Promise<void>) => Promise<UploadFields>;
};

/** In a scope of its own: forms are taken here and nowhere else. */
export async function uploadRoutes(app: HttpApp, options: UploadRouteOptions): Promise<void> {
  const { door, uploadBytes, clock } = options;
  const closing = await acceptForms(app);
  const underWay = new Set<string>();

  const receive = async (request: FastifyRequest, reply: FastifyReply): Promise<string> => {
    const key = readIdempotencyKey(request.headers['idempotency-key']);
    requireForm(request, uploadBytes);
    if (!(await options.hasDiskSpace())) throw diskFull();
    const { appId } = door.appOf(request);
    const stop = AbortSignal.any([clientGoneSignal(reply), closing]);
    const read: Upload['read'] = (write) =>
      readUploadFields(request, { fileBytesMax: uploadBytes, write, stop });
    if (key === null) return keep(options, { appId, key, read });
    const name = `${appId} ${key}`;
    if (underWay.has(name)) throw inProgress();
    underWay.add(name);
    try {
      const first = await recall(options, { appId, key, read });
      if (first !== null) replayed(reply);
      return first ?? (await keep(options, { appId, key, read }));
    } finally {
      underWay.delete(name);
    }
  };
  app.post(
    '/files',
    { config: { guard: 'app' }, schema: { response: { 201: UploadAnswer } } },
    async (request, reply) => {
      try {
        const body = await receive(request, reply);
        return sendAnswer(reply, { statusCode: 201, body });
      } catch (err) {
        await discardRestOfBody(reply, clock);
        throw isDiskFull(err) ? diskFull() : err;
      }
    },
  );
}

/** The answer that this key got before; null for a new key. The file has to come all the same, to be told from another one. */
async function recall(
  { keys, uploadBytes }: UploadRouteOptions,
  upload: Upload,
): Promise<string | null> {
  const place = placeOf(upload);
  if (!keys.isKnown(place)) return null;
  const measured = createMeasuredFile(uploadBytes);
  const fields = await upload.read(measured.write);
  const first = keys.recall({ place, requestSha256: digestOf(fields, measured.sha256()) });
  return first?.kind === 'answer' ? first.body : null;
}

async function keep({ shelf, keys }: UploadRouteOptions, upload: Upload): Promise<string> {
  await using incoming = shelf.receive(upload.appId);
  const fields = await upload.read(incoming.write);
  const { fileName, ttlSecs } = fields;
  const wanted = { appId: upload.appId, name: cleanFileName(fileName), ttlSecs };
  const file = await shelf.keep(incoming, wanted, (stored) => {
    if (upload.key === null) return;
    const answer = { statusCode: 201, body: answerOf(stored, ttlSecs) };
    const requestSha256 = digestOf(fields, stored.sha256);
    keys.keep({ place: placeOf(upload), requestSha256, answer }, null);
  });
  return answerOf(file, ttlSecs);
}

function placeOf({ appId, key }: Upload) {
  return { scope: `app:${appId}`, path: '/files', key: key ?? '' };
}

function digestOf({ fileName, ttlSecs }: UploadFields, sha256: string): string {
  return requestDigest({ name: cleanFileName(fileName), ttl_secs: ttlSecs, sha256 });
}

function answerOf(file: StoredFile, ttlSecs: number): string {
  const answer: UploadAnswer = { ...fileDescription(file), ttl_secs: ttlSecs };
  return JSON.stringify(answer);
}

function diskFull(): Error {
  return new AppError(outcomeError('disk_full'), 'The disk of the gateway is nearly full.');
}
