import { createPrivateKey, generateKeyPairSync, sign, verify } from 'node:crypto';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { StartError } from '#shared/errors.ts';

import { openSigningKey } from '../../vault/identity/signing-key.ts';

function createDirectory() {
  const path = mkdtempSync(join(tmpdir(), 'signing-key-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true }) };
}

async function refusalOf(dir: string): Promise<string> {
  const err: unknown = await openSigningKey(dir).catch((thrown: unknown) => thrown);
  expect(err).toBeInstanceOf(StartError);
  return String(err);
}

const small = generateKeyPairSync('rsa', { modulusLength: 1024 });
const curve = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const sound = generateKeyPairSync('rsa', { modulusLength: 2048 });
const pkcs8 = { type: 'pkcs8', format: 'pem' } as const;

test('a key pair is made once, for its owner only, and is the same afterwards', async () => {
  using dir = createDirectory();
  const first = await openSigningKey(dir.path);
  const path = join(dir.path, 'signing-key.pem');
  const pem = readFileSync(path, 'utf8');
  expect(readdirSync(dir.path)).toEqual(['signing-key.pem']);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(createPrivateKey(pem).asymmetricKeyDetails).toMatchObject({ modulusLength: 2048 });

  const again = await openSigningKey(dir.path);
  expect(readFileSync(path, 'utf8')).toBe(pem);
  expect(again.kid).toBe(first.kid);
  expect(first.kid).toMatch(/^[\w-]{43}$/);
  const text = Buffer.from('text');
  const signature = sign('sha256', text, first.privateKey);
  expect(verify('sha256', text, again.publicKey, signature)).toBe(true);
});

test('of several that start at once all have the same key', async () => {
  using dir = createDirectory();
  const keys = await Promise.all(Array.from({ length: 4 }, () => openSigningKey(dir.path)));
  expect(new Set(keys.map(({ kid }) => kid)).size).toBe(1);
  expect(readdirSync(dir.path)).toEqual(['signing-key.pem']);
});

test.each([0o644, 0o640, 0o604, 0o620, 0o602, 0o601])(
  'a key with the mode %o is refused and left as it is',
  async (mode) => {
    using dir = createDirectory();
    await openSigningKey(dir.path);
    const path = join(dir.path, 'signing-key.pem');
    const pem = readFileSync(path, 'utf8');
    chmodSync(path, mode);
    expect(await refusalOf(dir.path)).toContain(
      `${path} is open to others (mode 0${mode.toString(8)})`,
    );
    expect(statSync(path).mode & 0o777).toBe(mode);
    expect(readFileSync(path, 'utf8')).toBe(pem);
  },
);

test.each([
  ['nothing', ''],
  ['garbage', 'not a key\n'],
  ['half a key', sound.privateKey.export(pkcs8).slice(0, 600)],
  ['a public key', sound.publicKey.export({ type: 'spki', format: 'pem' })],
  ['an elliptic key', curve.privateKey.export(pkcs8)],
  ['a key that is too short', small.privateKey.export(pkcs8)],
  [
    'a key with a passphrase',
    sound.privateKey.export({ ...pkcs8, cipher: 'aes-256-cbc', passphrase: 'x' }),
  ],
])('a file of %s is refused and never overwritten', async (_what, content) => {
  using dir = createDirectory();
  const path = join(dir.path, 'signing-key.pem');
  writeFileSync(path, content, { mode: 0o600 });
  const refusal = await refusalOf(dir.path);
  expect(refusal).toContain(`${path} must hold a private RSA key`);
  expect(refusal).not.toContain('BEGIN');
  expect(readFileSync(path, 'utf8')).toBe(content);
});

test('a key of the operator is taken', async () => {
  using dir = createDirectory();
  const pem = sound.privateKey.export({ type: 'pkcs1', format: 'pem' });
  writeFileSync(join(dir.path, 'signing-key.pem'), pem, { mode: 0o600 });
  expect((await openSigningKey(dir.path)).kid).toMatch(/^[\w-]{43}$/);
});

test('a place that cannot be used is said to the operator', async () => {
  using dir = createDirectory();
  expect(await refusalOf(join(dir.path, 'missing'))).toContain('cannot be made');
  writeFileSync(join(dir.path, 'file'), '');
  expect(await refusalOf(join(dir.path, 'file'))).toContain('cannot be');
  symlinkSync('nowhere', join(dir.path, 'signing-key.pem'));
  expect(await refusalOf(dir.path)).toContain('cannot be read');
  rmSync(join(dir.path, 'signing-key.pem'));
  mkdirSync(join(dir.path, 'signing-key.pem'), { mode: 0o700 });
  expect(await refusalOf(dir.path)).toContain('must hold a private RSA key');
  expect(readdirSync(dir.path).toSorted()).toEqual(['file', 'signing-key.pem']);
});
