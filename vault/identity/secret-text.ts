// Secrets shown once and kept as a digest: a prefix that says what for, and 48 base64url
// characters, 256 random bits and their CRC-32.
import { hash, randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';

const prefixes = {
  prod_key: 'cv_prod_',
  dev_key: 'cv_dev_',
  refresh: 'cvr_',
  // For whoever was sent it: set-up, invitation, new password.
  link: 'cvl_',
} as const;

export type SecretKind = keyof typeof prefixes;

const kindsByPrefix: ReadonlyMap<string, SecretKind> = new Map([
  [prefixes.prod_key, 'prod_key'],
  [prefixes.dev_key, 'dev_key'],
  [prefixes.refresh, 'refresh'],
  [prefixes.link, 'link'],
]);

const randomLength = 32;
const form = /^(cv_prod_|cv_dev_|cvr_|cvl_)([A-Za-z0-9_-]{48})$/;
// Or an access token, which is a JWT.
const looksLike =
  /cv(?:_prod|_dev|r|l)_[A-Za-z0-9_-]{40}|(?<![\w-])eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{40}/;

export function mint(kind: SecretKind): string {
  const bytes = Buffer.alloc(randomLength + 4);
  randomBytes(randomLength).copy(bytes);
  bytes.writeUInt32BE(crc32(bytes.subarray(0, randomLength)), randomLength);
  return prefixes[kind] + bytes.toString('base64url');
}

/** Tells a typo or garbage from a secret without asking the database: null for what is none. */
export function kindOf(text: string): SecretKind | null {
  const [, prefix = '', body = ''] = form.exec(text) ?? [];
  const kind = kindsByPrefix.get(prefix);
  if (kind === undefined) return null;
  const bytes = Buffer.from(body, 'base64url');
  const isWhole = crc32(bytes.subarray(0, randomLength)) === bytes.readUInt32BE(randomLength);
  return isWhole ? kind : null;
}

export function digestOf(secret: string): string {
  return hash('sha256', secret, 'hex');
}

/** Whether a secret of ours may stand somewhere in the text, whole or a little cut. */
export function mentionsSecret(text: string): boolean {
  return looksLike.test(text);
}
