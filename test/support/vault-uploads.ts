// Attachments as a client of the vault uploads and reads them.
import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

import { boundary, bytesOfForm } from './upload-form.ts';
import type { Part } from './upload-form.ts';
import type { TestVault, VaultAnswer } from './vault-world.ts';

export const samples = {
  text: Buffer.from('Grüße, 世界\n'),
  png: Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex'),
  jpeg: Buffer.from('ffd8ffe000104a46494600010100', 'hex'),
  gif: Buffer.from('GIF89a\u0001\0\u0001\0', 'latin1'),
  webp: Buffer.from('RIFF\u0004\0\0\0WEBPVP8 ', 'latin1'),
  pdf: Buffer.from('%PDF-1.7\n%\u00e2\u00e3\u00cf\u00d3\n', 'latin1'),
};

export function sha256Of(bytes: Buffer | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}

export async function postParts(
  world: TestVault,
  token: string,
  agentId: string,
  parts: readonly Part[] | Buffer,
  headers: Record<string, string> = {},
): Promise<VaultAnswer> {
  const response = await fetch(`${world.url}/api/v1/agents/${agentId}/attachments`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': `multipart/form-data; boundary=${boundary}`,
      ...headers,
    },
    body: new Uint8Array(Buffer.isBuffer(parts) ? parts : bytesOfForm(parts)),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, body: JSON.parse(text) };
}

export function uploadTo(
  world: TestVault,
  token: string,
  agentId: string,
  bytes: Buffer | string,
  { name = 'a.txt', key }: { name?: string; key?: string } = {},
): Promise<VaultAnswer> {
  const headers = key === undefined ? {} : { 'idempotency-key': key };
  return postParts(world, token, agentId, [{ name: 'file', fileName: name, body: bytes }], headers);
}

/** Gives its id. */
export async function attachTo(
  world: TestVault,
  token: string,
  agentId: string,
  bytes: Buffer | string,
): Promise<string> {
  const answer = await uploadTo(world, token, agentId, bytes);
  if (answer.status !== 201) throw new Error(`not uploaded: ${answer.text}`);
  return answer.body.data.attachment_id;
}

export function fetchAttachment(
  world: TestVault,
  token: string,
  attachmentId: string,
  init: { method?: string; headers?: Record<string, string> } = {},
): Promise<Response> {
  return fetch(`${world.url}/api/v1/attachments/${attachmentId}`, {
    ...init,
    headers: { authorization: `Bearer ${token}`, ...init.headers },
  });
}

/** What lies in the directory, also of uploads under way. */
export function storedFiles({ dataDir }: Pick<TestVault, 'dataDir'>): string[] {
  const all = readdirSync(join(dataDir, 'attachments'), { recursive: true, encoding: 'utf8' });
  return all.filter((name) => name !== 'incoming').toSorted();
}
