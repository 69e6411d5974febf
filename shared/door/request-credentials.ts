// Where a request carries its token, and where it must not.
import type { IncomingHttpHeaders } from 'node:http';

const tokenParameters = new Set(['token', 'access_token', 'api_key', 'key']);

/** What is presented as a bearer token, however garbled; null when nothing is. */
export function presentedToken(authorization: string | undefined): string | null {
  return (
    /^bearer\s+(?<token>\S.*)$/is.exec(authorization ?? '')?.groups?.['token']?.trimEnd() ?? null
  );
}

/** Whether a token of the service may stand somewhere in the text, whole or a little cut. */
export type MentionsToken = (text: string) => boolean;

/** A token in a URL ends in histories and logs, also in those of whoever gets the Referer. */
export function hasTokenInUrl(
  url: string,
  headers: IncomingHttpHeaders,
  mentionsToken: MentionsToken,
): boolean {
  const start = url.indexOf('?');
  if (start >= 0 && hasTokenInQuery(url.slice(start + 1), mentionsToken)) return true;
  return headers.referer !== undefined && mentionsToken(headers.referer);
}

function hasTokenInQuery(query: string, mentionsToken: MentionsToken): boolean {
  if (mentionsToken(query)) return true;
  for (const [name, value] of new URLSearchParams(query)) {
    if (tokenParameters.has(name.toLowerCase()) || mentionsToken(value)) return true;
  }
  return false;
}
