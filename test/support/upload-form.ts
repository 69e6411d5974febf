// Forms for POST /files: as an ordinary client makes them, and byte by byte.
import { connect } from 'node:net';
import type { Socket } from 'node:net';

import type { Answer, GatewayClient } from './gateway-client.ts';

export type Part = { name?: string; fileName?: string; headers?: string[]; body: string | Buffer };

export const boundary = 'boundary-of-a-test';

export function bytesOfForm(parts: readonly Part[], isClosed = true): Buffer {
  const pieces = parts.flatMap(({ name, fileName, headers = [], body }) => {
    const nameParameter = name === undefined ? '' : `; name="${name}"`;
    const fileParameter = fileName === undefined ? '' : `; filename="${fileName}"`;
    const disposition = `Content-Disposition: form-data${nameParameter}${fileParameter}`;
    const head = [`--${boundary}`, disposition, ...headers, '', ''].join('\r\n');
    return [Buffer.from(head), Buffer.from(body), Buffer.from('\r\n')];
  });
  return Buffer.concat([...pieces, Buffer.from(isClosed ? `--${boundary}--\r\n` : '')]);
}

export function postForm(
  gateway: GatewayClient,
  token: string,
  body: Buffer,
  headers: Record<string, string> = {},
): Promise<Answer> {
  return gateway.fetch('/files', {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': `multipart/form-data; boundary=${boundary}`,
      ...headers,
    },
    body: new Uint8Array(body),
  });
}

/** As a browser or any HTTP library does it. */
export function upload(
  gateway: GatewayClient,
  token: string,
  bytes: string | Buffer,
  fields: { name?: string; ttlSecs?: number | string; ttlFirst?: boolean } = {},
): Promise<Answer> {
  const { name = 'a.txt', ttlSecs, ttlFirst = false } = fields;
  const form = new FormData();
  const append = (): void => {
    if (ttlSecs !== undefined) form.append('ttl_secs', String(ttlSecs));
  };
  if (ttlFirst) append();
  form.append('file', new Blob([new Uint8Array(Buffer.from(bytes))]), name);
  if (!ttlFirst) append();
  const authorization = `Bearer ${token}`;
  return gateway.fetch('/files', { method: 'POST', headers: { authorization }, body: form });
}

/** Starts an upload by hand: `length` is what it says, `first` is what it sends. */
export function startUpload(
  service: { url: string },
  token: string,
  length: number,
  first: Buffer,
  headers: string[] = [],
  path = '/files',
): { socket: Socket; answer: Promise<string> } {
  const socket = connect(Number(new URL(service.url).port), '127.0.0.1');
  socket.on('error', () => {});
  let text = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  const answer = new Promise<string>((resolve) => {
    socket.once('close', () => resolve(text));
  });
  const head = [
    ...[`POST ${path} HTTP/1.1`, 'Host: localhost', `Authorization: Bearer ${token}`],
    ...[`Content-Type: multipart/form-data; boundary=${boundary}`, `Content-Length: ${length}`],
    ...[...headers, '', ''],
  ].join('\r\n');
  socket.write(head);
  socket.write(first);
  return { socket, answer };
}

/** Whether POST /files knows what an Idempotency-Key is. */
export async function takesKeyedUploads(gateway: GatewayClient, token: string): Promise<boolean> {
  const form = bytesOfForm([{ name: 'file', fileName: 'a.txt', body: 'a file' }]);
  const answer = await postForm(gateway, token, form, { 'idempotency-key': 'is it known?' });
  return answer.status === 201;
}
