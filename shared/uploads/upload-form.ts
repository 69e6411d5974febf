// The form of an upload: one file, which goes on as it arrives, and the fields that a service has besides, in any order.
import type { Multipart, MultipartFile, MultipartValue } from '@fastify/multipart';
import type { FastifyRequest } from 'fastify';

import { AppError, requestError } from '../errors.ts';

/** Takes the value of a field as it arrives, or throws; null for what is no text or too long for a field. Called once at most. */
export type TakeField = (value: string | null) => void;

export type UploadFormOptions = {
  fileBytesMax: number;
  write: (chunk: Buffer) => Promise<void>;
  /** By name; a form with any other field is refused. */
  fields: Readonly<Record<string, TakeField>>;
  fieldBytesMax?: number;
  stop: AbortSignal;
};

const fileField = 'file';

/** Throws AppError, also when the signal aborts before everything has arrived. */
export async function readUploadForm(
  request: FastifyRequest,
  options: UploadFormOptions,
): Promise<{ fileName: string | undefined }> {
  const fieldNames = Object.keys(options.fields);
  const parts = request.parts({
    limits: {
      // The file is counted where it goes; this only makes sure that the form ends there.
      fileSize: options.fileBytesMax + 1,
      // A little more than a form needs, so that a wrong field can be named.
      fields: fieldNames.length + 3,
      parts: fieldNames.length + 4,
      files: 1,
      fieldSize: options.fieldBytesMax ?? 100,
      headerPairs: 20,
    },
    isPartAFile: (field, _type, fileName) => field === fileField || fileName !== undefined,
  });
  try {
    return await readParts(parts, options);
  } catch (err) {
    throw options.stop.aborted ? stopRefusal(options.stop) : toRefusal(err, fieldNames);
  }
}

async function readParts(
  parts: AsyncIterator<Multipart>,
  { write, fields, stop }: UploadFormOptions,
): Promise<{ fileName: string | undefined }> {
  using stopped = rejectionOf(stop);
  let file: MultipartFile | null = null;
  const missing = new Map(Object.entries(fields));
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
    } else {
      const take = missing.get(part.fieldname);
      missing.delete(part.fieldname);
      if (take !== undefined) take(textOf(part));
      else if (!Object.hasOwn(fields, part.fieldname)) fault ??= unknownField(part.fieldname);
      else fault ??= invalidField(part.fieldname, 'is there twice');
    }
  }
  if (fault !== null) throw fault;
  if (file === null) throw invalidField(fileField, 'is required');
  return { fileName: file.filename };
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
  throw invalidField(fileField, 'must be sent as it is, without a Content-Transfer-Encoding');
}

function textOf({ value, valueTruncated }: MultipartValue): string | null {
  return typeof value === 'string' && !valueTruncated ? value : null;
}

function unknownField(field: string | undefined): AppError {
  return invalidField((field ?? 'a part without a name').slice(0, 200), 'is not a known field');
}

/** A 400 that names the field. */
export function invalidField(field: string, message: string): AppError {
  return requestError('invalid_request', `${field} ${message}`, { details: { field } });
}

const tooManyParts = new Set(['FST_PARTS_LIMIT', 'FST_FILES_LIMIT', 'FST_FIELDS_LIMIT']);

/** For a client that is gone it is only said to the log. */
function stopRefusal({ reason }: AbortSignal): AppError {
  return reason instanceof AppError
    ? reason
    : invalidField('body', 'did not arrive: the client went away');
}

function toRefusal(err: unknown, fieldNames: readonly string[]): unknown {
  if (err instanceof AppError || !(err instanceof Error)) return err;
  const code = 'code' in err ? String(err.code) : '';
  if (tooManyParts.has(code)) {
    const others = fieldNames.map((name) => ` and at most one ${name}`);
    const message = `a form has one ${fileField}${others.join('')}`;
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
