import { describe, expect, test } from 'vitest';

import { digestOf, kindOf, mentionsSecret, mint } from '../../vault/identity/secret-text.ts';

describe.each([
  ['prod_key', 'cv_prod_'],
  ['dev_key', 'cv_dev_'],
  ['refresh', 'cvr_'],
  ['link', 'cvl_'],
] as const)('a %s', (kind, prefix) => {
  test(`is ${prefix} and 48 characters that no two share`, () => {
    const secrets = Array.from({ length: 200 }, () => mint(kind));
    expect(new Set(secrets).size).toBe(200);
    for (const secret of secrets) {
      expect(secret).toMatch(new RegExp(`^${prefix}[A-Za-z0-9_-]{48}$`));
      expect(kindOf(secret)).toBe(kind);
    }
  });

  test('with any changed character is none', () => {
    const secret = mint(kind);
    for (let index = 0; index < secret.length; index += 1) {
      const other = secret[index] === 'A' ? 'B' : 'A';
      expect(kindOf(secret.slice(0, index) + other + secret.slice(index + 1))).toBeNull();
    }
  });

  test('with something before or after it is none', () => {
    const secret = mint(kind);
    for (const text of [`${secret}\n`, ` ${secret}`, `${secret}A`, secret.slice(0, -1)]) {
      expect(kindOf(text)).toBeNull();
    }
  });

  test('is seen anywhere in a text, also a little cut', () => {
    const secret = mint(kind);
    expect(mentionsSecret(`http://localhost/?x=${secret}#y`)).toBe(true);
    expect(mentionsSecret(`next%3D${secret.slice(0, -6)}`)).toBe(true);
  });
});

test.each([
  '',
  'cv_',
  'cv_prod_',
  `cv_test_${'a'.repeat(48)}`,
  `cf_${'a'.repeat(48)}`,
  `cvr_${'ü'.repeat(48)}`,
  `cvl_${'a'.repeat(2 ** 20)}`,
  'constructor',
  'a\0b',
])('garbage is no secret (%#)', (text) => {
  expect(kindOf(text)).toBeNull();
});

test('a name that begins like a secret is not taken for one', () => {
  expect(mentionsSecret('cv_prod_my-key, cvl_link and cvr_text')).toBe(false);
});

test('the digest is SHA-256 in hexadecimal', () => {
  expect(digestOf('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
});
