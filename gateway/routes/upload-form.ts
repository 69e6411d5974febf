// The form of POST /files: one file, which goes on as it arrives, and how long it is to be kept, in either order.
import type { Multipart, MultipartFile } from '@fastify/multipart';
import type { FastifyRequest } from 'fastify';

import { AppError, requestError } from '#shared/errors.ts';

export type UploadFields = { fileName: string | undefined; ttlSecs: number };

const fileField = 'file';
const ttlField = 'ttl_secs';
const defaultTtlSecs = 3600;
const [ttlSecsMin, ttlSecsMax] = [60, 86_400];

/** What a form may have in all: a little more than it needs, so that a wrong field can be named. */
const limits = { files: 1, fields: 4, parts: 5, fieldSize: 100, headerPairs: 20 };

/** Throws AppError, also when the signal aborts before everything has arrived. */
export async function readUploadForm(
  request: FastifyRequest,
  options: {
    fileBytesMax: number;
    write: (chunk: Buffer) => Promise<void>;
    stop: AbortSignal;
  },
): Promise<UploadFields> {
  const parts = request.parts({
    // The file is counted where it goes; this only makes sure that the form ends there.
    limits: { ...limits, fileSize: options.fileBytesMax + 1 },
    isPartAFile: (field, _type, fileName) => field === fileField || fileName !== undefined,
  });
  try {
    return await readParts(parts, options);
  } catch (err) {
    throw options.stop.aborted ? stopRefusal(options.stop) : toRefusal(err);
  }
}

async function readParts(
  parts: AsyncIterator<Multipart>,
  { write, stop }: { write: (chunk: Buffer) => Promise<void>; stop: AbortSignal },
): Promise<UploadFields> {
  using stopped = rejectionOf(stop);
  let file: MultipartFile | null = null;
  let ttlSecs: number | null = null;
  // A wrong field is told at the next file or at the end: a form of very many is too large.
  let fault: AppError | null = null;
  for (;;) {
    const { done, value: part } = await Promise.race([parts.next(), stopped.promise]);
    if (done === true) break;
    if (part.type === 'file') {
      fault ??= part.fieldname === fileField ? null : unknownField(part.fieldname);
      if (fault !== null) throw fault;
      requirePlain(part);
      await copy(part, write, stop);
      file = part;
    } else if (part.fieldname === ttlField && ttlSecs === null) {
      ttlSecs = readTtl(part.value);
    } else {
      fault ??=
        part.fieldname === ttlField
          ? invalid(ttlField, 'is there twice')
          : unknownField(part.fieldname);
    }
  }
  if (fault !== null) throw fault;
  if (file === null) throw invalid(fileField, 'is required');
  return { fileName: file.filename, ttlSecs: ttlSecs ?? defaultTtlSecs };
}

/** Settles only when nothing is being written any more. */
async function copy(
  { file }: MultipartFile,
  write: (chunk: Buffer) => Promise<void>,
  stop: AbortSignal,
): Promise<void> {
  const end = (): void => void file.destroy();
  stop.addEventListener('abort', end, { once: true });
  if (stop.aborted) end();
  try {
    for await (const chunk of file) await write(chunk);
  } finally {
    stop.removeEventListener('abort', end);
  }
}

function rejectionOf(signal: AbortSignal): Disposable & { promise: Promise<never> } {
  const { promise, reject } = Promise.withResolvers<never>();
  const abort = (): void => reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  if (signal.aborted) abort();
  // Nobody may be waiting for it at that moment.
  promise.catch(() => {});
  return { promise, [Symbol.dispose]: () => signal.removeEventListener('abort', abort) };
}

/** Browsers and HTTP clients send files as they are; forms in e-mails do not. */
function requirePlain({ encoding }: MultipartFile): void {
  if (['7bit', '8bit', 'binary'].includes(encoding)) return;
  throw invalid(fileField, 'must be sent as it is, without a Content-Transfer-Encoding');
}

function readTtl(value: unknown): number {
  const secs = typeof value === 'string' && /^\d{1,6}$/.test(value) ? Number(value) : Number.NaN;
  if (secs >= ttlSecsMin && secs <= ttlSecsMax) return secs;
  throw invalid(ttlField, `must be a whole number from ${ttlSecsMin} to ${ttlSecsMax}`);
}

function unknownField(field: string | undefined): AppError {
  return invalid((field ?? 'a part without a name').slice(0, 200), 'is not a known field');
}

function invalid(field: string, message: string): AppError {
  return requestError('invalid_request', `${field} ${message}`, { details: { field } });
}

const tooManyParts = new Set(['FST_PARTS_LIMIT', 'FST_FILES_LIMIT', 'FST_FIELDS_LIMIT']);

/** For a client that is gone it is only said to the log. */
function stopRefusal({ reason }: AbortSignal): AppError {
  return reason instanceof AppError
    ? reason
    : invalid('body', 'did not arrive: the client went away');
}

function toRefusal(err: unknown): unknown {
  if (err instanceof AppError || !(err instanceof Error)) return err;
  const code = 'code' in err ? String(err.code) : '';
  if (tooManyParts.has(code)) {
    const message = `a form has one ${fileField} and at most one ${ttlField}`;
    return requestError('payload_too_large', message, { details: { field: fileField } });
  }
  // The parser of forms throws plain errors; failures of the disk and bugs are none.
  const isPlain = code === '' && Object.getPrototypeOf(err) === Error.prototype;
  if (!isPlain && !/^(FST|ERR_STREAM)_/.test(code)) return err;
  return requestError('invalid_request', 'the form is not well formed or not whole', {
    details: { field: 'body' },
    cause: err,
  });
}
