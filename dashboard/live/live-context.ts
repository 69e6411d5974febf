// What every view behind the door stands on.
import { createContext, useContext } from 'react';

import type { UserView } from '#shared/vault-identity-api.ts';

import type { PageVault } from '../vault/page-vault.ts';
import type { Session } from '../vault/session.ts';
import { useStore } from '../vault/store.ts';
import type { LiveVault } from './live-vault.ts';

export type Live = { session: Session; vault: PageVault; live: LiveVault };

export const LiveContext = createContext<Live | null>(null);

export function useLive(): Live {
  const context = useContext(LiveContext);
  if (context === null) throw new Error('this view is for those who are signed in');
  return context;
}

export function useMe(): { user: UserView; may: (permission: string) => boolean } {
  const state = useStore(useLive().session.state);
  if (state.kind !== 'signed_in') throw new Error('nobody is signed in');
  return { user: state.user, may: (permission) => state.permissions.has(permission) };
}
