import { randomFillSync } from 'node:crypto';

export type NewId = (prefix: string) => string;

const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';
const timeChars = 10;
const randomChars = 16;

const pool = Buffer.alloc(4096);
let used = pool.length;

/** `<prefix>_` and 26 characters that sort by time of making (to the millisecond). */
export function newId(prefix: string): string {
  return `${prefix}_${timePart(Date.now())}${randomPart()}`;
}

function timePart(epochMs: number): string {
  let rest = epochMs;
  let text = '';
  for (let i = 0; i < timeChars; i += 1) {
    text = alphabet.charAt(rest % 32) + text;
    rest = Math.floor(rest / 32);
  }
  return text;
}

function randomPart(): string {
  if (used + randomChars > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  let text = '';
  for (const end = used + randomChars; used < end; used += 1) {
    text += alphabet.charAt(pool.readUInt8(used) & 31);
  }
  return text;
}
