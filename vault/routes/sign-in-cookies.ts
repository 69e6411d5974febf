// The two cookies of a sign-in: one that no script can read, and one for the page, which proves with it that a request is its own.
import { fastifyCookie } from '@fastify/cookie';
import type { FastifyRequest } from 'fastify';

import { csrfCookie, csrfHeader, refreshCookie } from '#shared/vault-identity-api.ts';

import { refreshLifetimeSecs } from '../identity/sign-ins.ts';
import type { CookiePair, Credentials } from '../identity/sign-ins.ts';

const refreshPath = '/api/v1/auth';

export function readCookiePair({ headers }: Pick<FastifyRequest, 'headers'>): CookiePair {
  const cookies = fastifyCookie.parse(headers.cookie ?? '');
  const csrfToken = headers[csrfHeader];
  return {
    refreshToken: cookies[refreshCookie] ?? null,
    csrfToken: typeof csrfToken === 'string' ? csrfToken : null,
  };
}

/** For the header Set-Cookie. */
export function signInCookies(
  { refreshToken, csrfToken }: Pick<Credentials, 'refreshToken' | 'csrfToken'>,
  isSecure: boolean,
  maxAge = refreshLifetimeSecs,
): string[] {
  const common = { sameSite: 'strict', secure: isSecure, maxAge } as const;
  return [
    fastifyCookie.serialize(refreshCookie, refreshToken, {
      ...common,
      httpOnly: true,
      path: refreshPath,
    }),
    fastifyCookie.serialize(csrfCookie, csrfToken, { ...common, path: '/' }),
  ];
}

/** Makes a browser forget them. */
export function endedCookies(isSecure: boolean): string[] {
  return signInCookies({ refreshToken: '', csrfToken: '' }, isSecure, 0);
}
