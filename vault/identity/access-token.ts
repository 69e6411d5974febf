// What a signed-in browser carries for half an hour: a JWT that says who and of which sign-in.
import { randomUUID } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

import { SignJWT, jwtVerify } from 'jose';
import type { JWTHeaderParameters, JWTPayload } from 'jose';

import { isoTime } from '#shared/clock.ts';
import type { Clock } from '#shared/clock.ts';

import type { SigningKey } from './signing-key.ts';

const algorithm = 'RS256';
const type = 'at+jwt';
const audience = 'gatehouse-vault';
const lifetimeSecs = 30 * 60;
const maxLength = 4096;
// Decoders forgive line breaks and padding: without this one token would have many spellings.
const form = /^[\w-]+\.[\w-]+\.[\w-]+$/;

export type AccessClaims = { userId: string; familyId: string; realm: string };

export type AccessTokens = {
  sign(claims: AccessClaims): Promise<{ token: string; expiresAt: string }>;
  /** Null for everything but a token of ours that still holds; never throws. */
  verify(token: string): Promise<(AccessClaims & { expiresAt: string }) | null>;
};

export type AccessTokenOptions = { key: SigningKey; clock: Clock; issuer: string };

export function createAccessTokens({ key, clock, issuer }: AccessTokenOptions): AccessTokens {
  function ourKey({ kid, typ }: JWTHeaderParameters): KeyObject {
    if (kid !== key.kid || typ !== type) throw new Error('not a token of ours');
    return key.publicKey;
  }

  return {
    sign: async ({ userId, familyId, realm }) => {
      const issuedAtSecs = Math.floor(clock.now() / 1000);
      const expiresAtSecs = issuedAtSecs + lifetimeSecs;
      const token = await new SignJWT({ sid: familyId, realm })
        .setProtectedHeader({ alg: algorithm, kid: key.kid, typ: type })
        .setIssuer(issuer)
        .setAudience(audience)
        .setSubject(userId)
        .setIssuedAt(issuedAtSecs)
        .setExpirationTime(expiresAtSecs)
        .setJti(randomUUID())
        .sign(key.privateKey);
      return { token, expiresAt: isoTime(expiresAtSecs * 1000) };
    },
    verify: async (token) => {
      if (token.length > maxLength || !form.test(token)) return null;
      try {
        // No look at `iat`: a clock that was stepped back must not lock people out.
        const { payload } = await jwtVerify(token, ourKey, {
          algorithms: [algorithm],
          issuer,
          audience,
          currentDate: new Date(clock.now()),
          clockTolerance: 0,
        });
        return claimsOf(payload);
      } catch {
        return null;
      }
    },
  };
}

function claimsOf({
  sub,
  sid,
  realm,
  exp,
}: JWTPayload): (AccessClaims & { expiresAt: string }) | null {
  if (typeof sub !== 'string' || typeof sid !== 'string' || typeof realm !== 'string') return null;
  if (exp === undefined) return null;
  return { userId: sub, familyId: sid, realm, expiresAt: isoTime(exp * 1000) };
}
