// The key pair that access tokens are signed with: made once and kept in a file.
import { createPrivateKey, createPublicKey, generateKeyPair, randomBytes } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { linkSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { calculateJwkThumbprint } from 'jose';

import { StartError } from '#shared/errors.ts';
import { syncDirectory } from '#shared/sync-directory.ts';

/** In the data directory. */
export const signingKeyDir = 'vault-keys';
const fileName = 'signing-key.pem';
export const signingKeyFile = `${signingKeyDir}/${fileName}`;

const makeKeyPair = promisify(generateKeyPair);
const modulusBits = 2048;

export type SigningKey = {
  /** The RFC 7638 thumbprint of the public key. */
  kid: string;
  privateKey: KeyObject;
  publicKey: KeyObject;
};

/** The directory must exist. Throws StartError for a file that is no key or that others may read. */
export async function openSigningKey(dir: string): Promise<SigningKey> {
  const path = join(dir, fileName);
  if (isMissing(path)) await makeFile(path, dir);
  const privateKey = readKey(path);
  const publicKey = createPublicKey(privateKey);
  const kid = await calculateJwkThumbprint(publicKey.export({ format: 'jwk' }));
  return { kid, privateKey, publicKey };
}

function isMissing(path: string): boolean {
  return tried(path, 'read', () => statSync(path, { throwIfNoEntry: false }) === undefined);
}

async function makeFile(path: string, dir: string): Promise<void> {
  const { privateKey } = await makeKeyPair('rsa', { modulusLength: modulusBits });
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  tried(path, 'made', () => putInPlace(path, pem));
  tried(path, 'made', () => syncDirectory(dir));
}

// Written under another name, so that a crash half way leaves no half a key. Linked and not
// renamed: of two who start at once the second must not overwrite the key of the first.
function putInPlace(path: string, pem: string): void {
  const draftPath = `${path}.${randomBytes(6).toString('hex')}`;
  try {
    writeFileSync(draftPath, pem, { mode: 0o600, flag: 'wx', flush: true });
    linkSync(draftPath, path);
  } catch (err) {
    if (!isAlreadyThere(err)) throw err;
  } finally {
    rmSync(draftPath, { force: true });
  }
}

function isAlreadyThere(err: unknown): boolean {
  return err instanceof Error && 'code' in err && err.code === 'EEXIST';
}

function readKey(path: string): KeyObject {
  const state = tried(path, 'read', () => statSync(path));
  if (!state.isFile()) throw noKey(path);
  const mode = state.mode & 0o777;
  if ((mode & 0o077) !== 0) {
    throw new StartError(
      `${path} is open to others (mode ${mode.toString(8).padStart(4, '0')}), who could sign in ` +
        'as anybody: remove it to have another made, or chmod 600 it if nobody has read it',
    );
  }
  const pem = tried(path, 'read', () => readFileSync(path, 'utf8'));
  const key = parseKey(path, pem);
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
  if (key.asymmetricKeyType !== 'rsa' || bits < modulusBits) throw noKey(path);
  return key;
}

function parseKey(path: string, pem: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch (cause) {
    throw noKey(path, cause);
  }
}

function noKey(path: string, cause?: unknown): StartError {
  return new StartError(
    `${path} must hold a private RSA key of at least ${modulusBits} bits as PEM, without a ` +
      'passphrase: restore it, or remove it to have one made, which signs everybody out',
    { cause },
  );
}

function tried<Result>(path: string, deed: string, work: () => Result): Result {
  try {
    return work();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new StartError(`${path} cannot be ${deed}: ${reason}`, { cause });
  }
}
