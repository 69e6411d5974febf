// Where on the page one is: the path of the address.
import { useSyncExternalStore } from 'react';

const moved = 'gatehouse:moved';

export function goTo(path: string, how: 'push' | 'replace' = 'push'): void {
  if (how === 'push') history.pushState(null, '', path);
  else history.replaceState(null, '', path);
  dispatchEvent(new Event(moved));
}

export function usePath(): string {
  return useSyncExternalStore(subscribe, () => location.pathname);
}

/** Of the address, behind its question mark. */
export function useQuery(): URLSearchParams {
  const search = useSyncExternalStore(subscribe, () => location.search);
  return new URLSearchParams(search);
}

export function feedPath(agentId: string): string {
  return `/feed/${agentId}`;
}

/** The keys that may do something for an agent. */
export function agentKeysPath(agentId: string): string {
  return `/keys?agent=${agentId}`;
}

export function agentOfPath(path: string): string | null {
  return /^\/feed\/(agent_[0-9a-z]{26})$/.exec(path)?.[1] ?? null;
}

function subscribe(listener: () => void): () => void {
  addEventListener('popstate', listener);
  addEventListener(moved, listener);
  return () => {
    removeEventListener('popstate', listener);
    removeEventListener(moved, listener);
  };
}
