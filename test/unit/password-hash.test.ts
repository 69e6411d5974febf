import { expect, test } from 'vitest';

import {
  hashPassword,
  needsRehash,
  passwordFault,
  verifyNobody,
  verifyPassword,
} from '../../vault/identity/password-hash.ts';

const composed = 'Gr\u00fc\u00dfe aus K\u00f6ln';
const decomposed = composed.normalize('NFD');

async function fastestMs(work: () => Promise<unknown>): Promise<number> {
  let fastest = Infinity;
  for (let attempt = 0; attempt < 5; attempt += 1) {
    const startedAt = performance.now();
    await work();
    fastest = Math.min(fastest, performance.now() - startedAt);
  }
  return fastest;
}

test('a password is kept as Argon2id with 19 MiB and two passes, salted anew each time', async () => {
  const [one, other] = await Promise.all([hashPassword(composed), hashPassword(composed)]);
  expect(one).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[\w+/]{22}\$[\w+/]{43}$/);
  expect(one).not.toBe(other);
  expect(needsRehash(one)).toBe(false);
});

test('the right password is right however its letters are composed', async () => {
  const stored = await hashPassword(composed);
  const texts = [composed, decomposed, composed.toUpperCase(), `${composed} `, '', 'a'.repeat(1e6)];
  const answers = await Promise.all(texts.map((text) => verifyPassword(stored, text)));
  expect(answers).toEqual([true, true, false, false, false, false]);
});

test('what is no hash is not taken for a wrong password', async () => {
  await expect(verifyPassword('garbage', composed)).rejects.toThrow('Decoding failed');
  await expect(verifyPassword('', composed)).rejects.toThrow('Decoding failed');
});

test('checking the password of nobody takes as long as any other and is never right', async () => {
  const stored = await hashPassword(composed);
  expect(await verifyNobody(composed)).toBe(false);
  const nobodyMs = await fastestMs(() => verifyNobody('wrong password'));
  const somebodyMs = await fastestMs(() => verifyPassword(stored, 'wrong password'));
  expect(nobodyMs).toBeGreaterThan(somebodyMs / 4);
});

test.each([
  ['$argon2id$v=19$m=4096,t=2,p=1$c2FsdHNhbHQ$aGFzaA', true],
  ['$argon2id$v=19$m=19456,t=3,p=1$c2FsdHNhbHQ$aGFzaA', true],
  ['$argon2id$v=19$m=19456,t=2,p=4$c2FsdHNhbHQ$aGFzaA', true],
  ['$argon2i$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$aGFzaA', true],
  ['', true],
  ['$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$aGFzaA', false],
])('whether %s is to be made anew: %s', (stored, expected) => {
  expect(needsRehash(stored)).toBe(expected);
});

const tooShort = 'The password must have at least 10 characters.';
const tooLong = 'The password must not be longer than 256 characters.';
const isName = 'The password must not be the name of its user.';

test.each<[string, string, string | null]>([
  ['nothing', '', tooShort],
  ['nine characters', 'a'.repeat(9), tooShort],
  ['ten characters', 'a'.repeat(10), null],
  ['nine that are eighteen code units', '🔑'.repeat(9), tooShort],
  ['ten that are twenty code units', '🔑'.repeat(10), null],
  ['nine letters that are eighteen code points when decomposed', 'a\u0308'.repeat(9), tooShort],
  ['256 characters', '🔑'.repeat(256), null],
  [
    '256 letters that are 768 code points when decomposed',
    '\u1ec7'.repeat(256).normalize('NFD'),
    null,
  ],
  ['257 characters', 'a'.repeat(257), tooLong],
  ['a megabyte', 'a'.repeat(2 ** 20), tooLong],
  ['a NUL', 'correct\0horse', 'The password must not contain a NUL character.'],
  ['half a character', 'correct\ud800horse', 'The password must not contain half a character.'],
  ['the name', 'ada.lovel\u00e4ce', isName],
  ['the name in capitals, decomposed', 'ADA.LOVELA\u0308CE', isName],
  ['a sentence', 'correct horse battery staple', null],
  ['blanks within and around', '  spaces are fine  ', null],
])('a new password of %s', (_what, text, fault) => {
  expect(passwordFault(text, 'ada.lovel\u00e4ce')).toBe(fault);
});
