// An app's credential: cf_ and 48 base64url characters, 256 random bits and their CRC-32.
import { hash, randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';

const randomLength = 32;
const form = /^cf_[A-Za-z0-9_-]{48}$/;
const looksLike = /cf(?:admin)?_[A-Za-z0-9_-]{40}/;

export function mintToken(): string {
  const bytes = Buffer.alloc(randomLength + 4);
  randomBytes(randomLength).copy(bytes);
  bytes.writeUInt32BE(crc32(bytes.subarray(0, randomLength)), randomLength);
  return `cf_${bytes.toString('base64url')}`;
}

/** Tells a typo or garbage from a token without asking the database. */
export function isWellFormedToken(text: string): boolean {
  if (!form.test(text)) return false;
  const bytes = Buffer.from(text.slice(3), 'base64url');
  return crc32(bytes.subarray(0, randomLength)) === bytes.readUInt32BE(randomLength);
}

export function tokenDigest(token: string): string {
  return hash('sha256', token, 'hex');
}

/** Whether a token of ours may stand somewhere in the text, whole or a little cut. */
export function mentionsToken(text: string): boolean {
  return looksLike.test(text);
}
