// Where a request carries its token, and where it must not.
import type { IncomingHttpHeaders } from 'node:http';

import { mentionsToken } from './token.ts';

const tokenParameters = new Set(['token', 'access_token', 'api_key', 'key']);

/** What is presented as a bearer token, however garbled; null when nothing is. */
export function presentedToken(authorization: string | undefined): string | null {
  return (
    /^bearer\s+(?<token>\S.*)$/is.exec(authorization ?? '')?.groups?.['token']?.trimEnd() ?? null
  );
}

/** A token in a URL ends in histories and logs, also in those of whoever gets the Referer. */
export function hasTokenInUrl(url: string, headers: IncomingHttpHeaders): boolean {
  const start = url.indexOf('?');
  if (start >= 0 && hasTokenInQuery(url.slice(start + 1))) return true;
  return headers.referer !== undefined && mentionsToken(headers.referer);
}

function hasTokenInQuery(query: string): boolean {
  if (mentionsToken(query)) return true;
  for (const [name, value] of new URLSearchParams(query)) {
    if (tokenParameters.has(name.toLowerCase()) || mentionsToken(value)) return true;
  }
  return false;
}
