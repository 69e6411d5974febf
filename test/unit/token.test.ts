import { expect, test } from 'vitest';

import {
  isWellFormedToken,
  mentionsToken,
  mintToken,
  tokenDigest,
} from '../../gateway/access/token.ts';

test('a new token is cf_ and 48 characters that no two tokens share', () => {
  const tokens = Array.from({ length: 200 }, mintToken);
  expect(new Set(tokens).size).toBe(200);
  for (const token of tokens) {
    expect(token).toMatch(/^cf_[A-Za-z0-9_-]{48}$/);
    expect(isWellFormedToken(token)).toBe(true);
  }
});

test('every changed character is noticed', () => {
  const token = mintToken();
  for (let index = 3; index < token.length; index += 1) {
    const other = token[index] === 'A' ? 'B' : 'A';
    const changed = token.slice(0, index) + other + token.slice(index + 1);
    expect(isWellFormedToken(changed)).toBe(false);
  }
});

test.each(['', 'cf_', 'cf_é', `cf_${'ü'.repeat(48)}`, `cf_${'a'.repeat(2 ** 20)}`, 'a\0b'])(
  'garbage is no token (%#)',
  (text) => {
    expect(isWellFormedToken(text)).toBe(false);
  },
);

test('a token with something before or after it is no token', () => {
  const token = mintToken();
  for (const text of [`${token}\n`, ` ${token}`, `${token}A`, token.slice(0, -1)]) {
    expect(isWellFormedToken(text)).toBe(false);
  }
});

test('the digest is SHA-256 in hexadecimal', () => {
  expect(tokenDigest('abc')).toBe(
    'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
  );
});

test('a token is seen anywhere in a text, an app name is not taken for one', () => {
  expect(mentionsToken(`http://localhost/?x=${mintToken()}#y`)).toBe(true);
  expect(mentionsToken(`cfadmin_${'a'.repeat(43)}`)).toBe(true);
  expect(mentionsToken('cf_my-app')).toBe(false);
});
