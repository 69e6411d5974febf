// Passwords are kept as Argon2id hashes; the rules for a new one are here too.
import { randomBytes } from 'node:crypto';

import { hash, verify } from '@node-rs/argon2';

import { createTurnGate } from './turn-gate.ts';

const cost = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };
const form = `$argon2id$v=19$m=${cost.memoryCost},t=${cost.timeCost},p=${cost.parallelism}$`;

const minCharacters = 10;
const maxCharacters = 256;
// No text that is short enough after normalisation was longer before.
const maxRawLength = 4096;

// Argon2 works in libuv's four threads, where files are read and names looked up: one stays free.
const inTurn = createTurnGate(3);

// Nobody's password: no text is known to have this hash, and checking one takes as long as any.
const nobodysHash = `${form}${base64(randomBytes(16))}$${base64(randomBytes(32))}`;

export function hashPassword(text: string): Promise<string> {
  return inTurn(() => hash(normalised(text), cost));
}

/** Rejects when `storedHash` is not a hash at all. */
export function verifyPassword(storedHash: string, text: string): Promise<boolean> {
  return inTurn(() => verify(storedHash, normalised(text)));
}

/** For a user who does not exist or has no password: takes as long as a real check. */
export async function verifyNobody(text: string): Promise<false> {
  await verifyPassword(nobodysHash, text);
  return false;
}

/** Whether the hash was made with other costs than those of today. */
export function needsRehash(storedHash: string): boolean {
  return !storedHash.startsWith(form);
}

/** What is wrong with a wanted password, as a sentence for its user; else null. */
export function passwordFault(text: string, userName: string): string | null {
  const tooLong = `The password must not be longer than ${maxCharacters} characters.`;
  if (text.length > maxRawLength) return tooLong;
  const password = normalised(text);
  const length = Array.from(password).length;
  if (length < minCharacters) {
    return `The password must have at least ${minCharacters} characters.`;
  }
  if (length > maxCharacters) return tooLong;
  if (password.includes('\0')) return 'The password must not contain a NUL character.';
  // Halves of characters would all be hashed as the same replacement character.
  if (!password.isWellFormed()) return 'The password must not contain half a character.';
  if (password.toLowerCase() === normalised(userName).toLowerCase()) {
    return 'The password must not be the name of its user.';
  }
  return null;
}

// The same letters typed on another keyboard may be composed of other code points.
function normalised(text: string): string {
  return text.normalize('NFC');
}

function base64(bytes: Buffer): string {
  return bytes.toString('base64').replaceAll('=', '');
}
