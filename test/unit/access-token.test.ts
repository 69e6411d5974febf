import { createHmac, generateKeyPairSync, sign as signBytes } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

import { expect, test } from 'vitest';

import { createAccessTokens } from '../../vault/identity/access-token.ts';
import type { SigningKey } from '../../vault/identity/signing-key.ts';
import { createManualClock } from '../support/manual-clock.ts';

const startMs = Date.parse('2026-01-01T00:00:00.900Z');
const halfHourMs = 30 * 60_000;
const issuer = 'https://vault.example';
const claims = { userId: 'user-1', familyId: 'family-1', realm: 'main' };

const key = createKey('kid-1');
const otherKey = createKey('kid-2');

function createKey(kid: string): SigningKey {
  return { kid, ...generateKeyPairSync('rsa', { modulusLength: 2048 }) };
}

function createTokens() {
  const clock = createManualClock(startMs);
  return { clock, tokens: createAccessTokens({ key, clock, issuer }) };
}

function parts(token: string) {
  const [header = '', payload = '', signature = ''] = token.split('.');
  return { header: decoded(header), payload: decoded(payload), signature };
}

function decoded(part: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(part, 'base64url').toString());
}

function encoded(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

/** A token of any content, rightly signed. */
function forge(header: object, payload: object, privateKey: KeyObject = key.privateKey): string {
  const content = `${encoded(header)}.${encoded(payload)}`;
  const signature = signBytes('sha256', Buffer.from(content), privateKey);
  return `${content}.${signature.toString('base64url')}`;
}

const issuedAtSecs = Math.floor(startMs / 1000);
const ourHeader = { alg: 'RS256', kid: 'kid-1', typ: 'at+jwt' };
const ourPayload = {
  iss: issuer,
  aud: 'gatehouse-vault',
  sub: 'user-1',
  sid: 'family-1',
  realm: 'main',
  iat: issuedAtSecs,
  exp: issuedAtSecs + 1800,
  jti: 'x',
};

test('a token says who it is for, of which sign-in and until when', async () => {
  const { tokens } = createTokens();
  const { token, expiresAt } = await tokens.sign(claims);
  expect(expiresAt).toBe('2026-01-01T00:30:00.000Z');
  const { header, payload } = parts(token);
  expect(header).toEqual(ourHeader);
  expect(payload).toEqual({ ...ourPayload, jti: expect.stringMatching(/^[\da-f-]{36}$/) });
  expect(await tokens.verify(token)).toEqual({ ...claims, expiresAt });
  expect((await tokens.sign(claims)).token).not.toBe(token);
});

test('a token holds for half an hour and not a second longer', async () => {
  const { tokens, clock } = createTokens();
  const { token } = await tokens.sign(claims);
  await clock.advance(halfHourMs - 1000);
  expect(await tokens.verify(token)).not.toBeNull();
  await clock.advance(1000);
  expect(await tokens.verify(token)).toBeNull();
  await clock.advance(1000);
  expect(await tokens.verify(token)).toBeNull();
});

test('a clock that was stepped back locks nobody out', async () => {
  const { tokens } = createTokens();
  const { token } = await tokens.sign(claims);
  const clock = createManualClock(startMs - 24 * 3_600_000);
  const before = createAccessTokens({ key, clock, issuer });
  expect(await before.verify(token)).toMatchObject(claims);
});

test('the forged tokens of this test are sound but for their one fault', async () => {
  expect(await createTokens().tokens.verify(forge(ourHeader, ourPayload))).toMatchObject(claims);
});

test.each<[string, object]>([
  ['PS256', { ...ourHeader, alg: 'PS256' }],
  ['RS512', { ...ourHeader, alg: 'RS512' }],
  ['no algorithm', { kid: 'kid-1', typ: 'at+jwt' }],
  ['another kid', { ...ourHeader, kid: 'kid-2' }],
  ['no kid', { alg: 'RS256', typ: 'at+jwt' }],
  ['another type', { ...ourHeader, typ: 'JWT' }],
  ['no type', { alg: 'RS256', kid: 'kid-1' }],
  ['a critical extension', { ...ourHeader, crit: ['x'], x: 1 }],
  ['an unencoded payload', { ...ourHeader, crit: ['b64'], b64: false }],
  [
    'a key of its own',
    { ...ourHeader, kid: 'own', jwk: otherKey.publicKey.export({ format: 'jwk' }) },
  ],
])('a header with %s is refused', async (_what, header) => {
  expect(await createTokens().tokens.verify(forge(header, ourPayload))).toBeNull();
});

test.each<[string, object]>([
  ['another audience', { aud: 'other' }],
  ['no audience', { aud: undefined }],
  ['another issuer', { iss: 'https://other.example' }],
  ['no issuer', { iss: undefined }],
  ['no end', { exp: undefined }],
  ['an end that is text', { exp: '9999999999' }],
  ['an end beyond all dates', { exp: 1e300 }],
  ['a beginning in the future', { nbf: issuedAtSecs + 60 }],
  ['no user', { sub: undefined }],
  ['a user that is a number', { sub: 1 }],
  ['no sign-in', { sid: undefined }],
  ['no realm', { realm: undefined }],
  ['a realm that is a list', { realm: ['main'] }],
])('a payload with %s is refused', async (_what, change) => {
  const token = forge(ourHeader, { ...ourPayload, ...change });
  expect(await createTokens().tokens.verify(token)).toBeNull();
});

test.each(['none', 'None', 'NONE', ''])('the algorithm %j is refused', async (alg) => {
  const { tokens } = createTokens();
  const content = `${encoded({ ...ourHeader, alg })}.${encoded(ourPayload)}`;
  const { signature } = parts((await tokens.sign(claims)).token);
  expect(await tokens.verify(`${content}.`)).toBeNull();
  expect(await tokens.verify(`${content}.${signature}`)).toBeNull();
});

test('a token signed as HS256 with the public key is refused', async () => {
  const { tokens } = createTokens();
  const content = `${encoded({ ...ourHeader, alg: 'HS256' })}.${encoded(ourPayload)}`;
  for (const exportType of ['spki', 'pkcs1'] as const) {
    const pem = key.publicKey.export({ type: exportType, format: 'pem' });
    for (const secret of [pem, pem.toString().trim()]) {
      const signature = createHmac('sha256', secret).update(content).digest('base64url');
      expect(await tokens.verify(`${content}.${signature}`)).toBeNull();
    }
  }
});

test('a token of another key is refused, also under our kid', async () => {
  const { tokens, clock } = createTokens();
  const others = createAccessTokens({ key: otherKey, clock, issuer });
  const pretender = createAccessTokens({ key: { ...otherKey, kid: key.kid }, clock, issuer });
  expect(await tokens.verify((await others.sign(claims)).token)).toBeNull();
  expect(await tokens.verify((await pretender.sign(claims)).token)).toBeNull();
});

test('a changed token is refused', async () => {
  const { tokens } = createTokens();
  const { token } = await tokens.sign(claims);
  const [header = '', payload = '', signature = ''] = token.split('.');
  const stranger = encoded({ ...decoded(payload), sub: 'user-2' });
  const longer = encoded({ ...decoded(payload), exp: 9_999_999_999 });
  const flipped = (signature.startsWith('A') ? 'B' : 'A') + signature.slice(1);
  for (const text of [
    `${header}.${stranger}.${signature}`,
    `${header}.${longer}.${signature}`,
    `${header}.${payload}.${flipped}`,
    `${header}.${payload}.`,
    `${header}.${payload}`,
    `${header}..${signature}`,
    `${token}.`,
    `${token}\n`,
    ` ${token}`,
    `${token}=`,
    token.slice(0, -4),
  ]) {
    expect(await tokens.verify(text)).toBeNull();
  }
});

test.each([
  '',
  '.',
  '..',
  '...',
  'a.b.c',
  'null',
  '{}',
  'é.é.é',
  '\0',
  `${encoded(null)}.${encoded(null)}.x`,
  `${encoded([])}.${encoded('x')}.x`,
  `${encoded(ourHeader)}.${'!'.repeat(20)}.x`,
])('garbage is no token: %j', async (text) => {
  expect(await createTokens().tokens.verify(text)).toBeNull();
});

test('a text of more than 4 KB is refused without a look', async () => {
  const { tokens } = createTokens();
  const long = forge(ourHeader, { ...ourPayload, jti: 'x'.repeat(4096) });
  expect(await tokens.verify(long)).toBeNull();
  const startedAt = performance.now();
  expect(await tokens.verify('a.'.repeat(2 ** 19))).toBeNull();
  expect(performance.now() - startedAt).toBeLessThan(100);
});
