// The form of POST /files, made as it is sent: nothing is held in memory that was not there already.
import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';

export type UploadSource = Uint8Array | Blob | AsyncIterable<Uint8Array>;

export type UploadForm = {
  headers: Record<string, string>;
  body: () => Readable;
  /** A stream can be read once only. */
  isRepeatable: boolean;
  /** What the source itself failed with; it is not the gateway's fault. */
  fault: () => { err: unknown } | null;
};

export type UploadFields = { name: string; ttlSecs?: number | undefined };

export function createUploadForm(source: UploadSource, fields: UploadFields): UploadForm {
  // The same for every attempt: a repeated form is the same to the byte.
  const boundary = `gatehouse-${randomUUID()}`;
  const [head, tail] = framesOf(boundary, fields);
  const size = sizeOf(source);
  let fault: { err: unknown } | null = null;
  const pieces = async function* () {
    yield head;
    try {
      yield* chunksOf(source);
    } catch (err) {
      fault = { err };
      throw err;
    }
    yield tail;
  };
  return {
    headers: {
      'content-type': `multipart/form-data; boundary=${boundary}`,
      ...(size === null ? {} : { 'content-length': String(head.length + size + tail.length) }),
    },
    body: () => Readable.from(pieces(), { objectMode: false }),
    isRepeatable: size !== null,
    fault: () => fault,
  };
}

function framesOf(boundary: string, { name, ttlSecs }: UploadFields): [head: Buffer, tail: Buffer] {
  const ttl =
    ttlSecs === undefined
      ? []
      : [`--${boundary}`, 'Content-Disposition: form-data; name="ttl_secs"', '', String(ttlSecs)];
  const file = `Content-Disposition: form-data; name="file"; filename="${quoted(name)}"`;
  const head = [...ttl, `--${boundary}`, file, 'Content-Type: application/octet-stream', '', ''];
  return [Buffer.from(head.join('\r\n')), Buffer.from(`\r\n--${boundary}--\r\n`)];
}

/** A line break would end the header. */
function quoted(name: string): string {
  return name.replaceAll(/[\r\n]/g, ' ').replaceAll(/["\\]/g, String.raw`\$&`);
}

function sizeOf(source: UploadSource): number | null {
  if (source instanceof Uint8Array) return source.byteLength;
  return source instanceof Blob ? source.size : null;
}

async function* chunksOf(source: UploadSource): AsyncGenerator<Uint8Array, void, undefined> {
  if (source instanceof Uint8Array) yield source;
  else if (source instanceof Blob) yield* source.stream();
  else yield* source;
}
