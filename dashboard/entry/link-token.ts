import { useState } from 'react';

/** What stands behind the # of a link; taken out of the address, where it would stay in the history. */
export function useLinkToken(): string {
  const [token] = useState(() => location.hash.slice(1));
  return token;
}

export function forgetLinkToken(): void {
  history.replaceState(null, '', location.pathname);
}
