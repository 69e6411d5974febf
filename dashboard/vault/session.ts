// Whose page this is. The access token is in this memory and nowhere else; the cookies that give a new one are the browser's.
import { Type } from 'typebox';
import type { Static, TSchema } from 'typebox';

import { Answer } from '#shared/vault-api.ts';
import { VaultError, vaultErrorOf, vaultUnreachable } from '#shared/vault-client-error.ts';
import { createVaultConnection } from '#shared/vault-connection.ts';
import type { VaultConnection, VaultRequest } from '#shared/vault-connection.ts';
import { csrfCookie, csrfHeader, MeView, SignedIn } from '#shared/vault-identity-api.ts';
import type { UserView } from '#shared/vault-identity-api.ts';

import { inTurn } from './refresh-turn.ts';
import { createStore } from './store.ts';
import type { Store } from './store.ts';

export type SessionState =
  | { kind: 'starting' }
  | { kind: 'unreachable'; error: unknown }
  | { kind: 'signed_out'; reason: string | null }
  | { kind: 'signed_in'; user: UserView; permissions: ReadonlySet<string> };

export type Session = {
  state: Store<SessionState>;
  /** Asks with the token, and once more with a new one when it is over. */
  connection: VaultConnection;
  /** For forms and files. Throws VaultError. */
  fetch: (path: string, init?: RequestInit) => Promise<Response>;
  /** Signs in with what the cookies allow. */
  start: () => Promise<void>;
  login: (name: string, password: string) => Promise<void>;
  /** By a link: `/auth/setup` or `/auth/accept-invitation`. */
  join: (
    path: string,
    account: { token: string; name: string; display_name?: string; password: string },
  ) => Promise<void>;
  loginByLink: (linkToken: string) => Promise<void>;
  logout: () => Promise<void>;
  userChanged: (user: UserView) => void;
};

const refreshBeforeMs = 60_000;
const signInAnswer = Answer(SignedIn);

export function createSession(): Session {
  const state = createStore<SessionState>({ kind: 'starting' });
  const channel = new BroadcastChannel('gatehouse');
  const tellOtherTabs = (what: 'signed-in' | 'signed-out'): void => {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a channel is of one origin
    channel.postMessage(what);
  };
  const plain = createVaultConnection({ url: '', token: () => null });
  let token: string | null = null;
  let expiresAt = 0;
  let refreshing: Promise<void> | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const forget = (reason: string | null): void => {
    token = null;
    clearTimeout(timer);
    state.set({ kind: 'signed_out', reason });
  };
  const keep = (data: Static<typeof SignedIn>): void => {
    token = data.access_token;
    expiresAt = Date.now() + data.expires_in_secs * 1000;
    clearTimeout(timer);
    const waitMs = Math.max(5000, data.expires_in_secs * 1000 - refreshBeforeMs);
    timer = setTimeout(() => void refresh().catch(() => {}), waitMs);
  };
  const enter = async (data: Static<typeof SignedIn>): Promise<void> => {
    keep(data);
    const { data: me } = await authorized.ask({ path: '/auth/me' }, Answer(MeView));
    const permissions = new Set(me.permissions);
    state.set({ kind: 'signed_in', user: me.user ?? data.user, permissions });
  };
  const renew = async (): Promise<Static<typeof SignedIn>> =>
    await inTurn(async () => {
      const headers = { [csrfHeader]: readCookie(csrfCookie) };
      const request = { method: 'POST', path: '/auth/refresh', headers } as const;
      return (await plain.ask(request, signInAnswer)).data;
    });
  const refresh = async (): Promise<void> => {
    refreshing ??= renew()
      .then(keep)
      .finally(() => (refreshing = null));
    try {
      await refreshing;
    } catch (err) {
      if (isSignedOut(err)) forget('Your sign-in is over: sign in again.');
      throw err;
    }
  };
  const withToken = async <T>(attempt: () => Promise<T>): Promise<T> => {
    if (token === null) throw signInFirst();
    // Timers stand still while a machine sleeps.
    if (Date.now() > expiresAt - 5000) await refresh();
    try {
      return await attempt();
    } catch (err) {
      if (!isSignedOut(err)) throw err;
      await refresh();
      return await attempt();
    }
  };
  const bearing = createVaultConnection({ url: '', token: () => token });
  const authorized: VaultConnection = {
    ask: <T extends TSchema>(request: VaultRequest, answer: T) =>
      withToken(() => bearing.ask(request, answer)),
    open: (request) => withToken(() => bearing.open(request)),
  };

  channel.addEventListener('message', ({ data }) => {
    if (data === 'signed-out') forget('You signed out in another tab.');
    if (data === 'signed-in' && state.get().kind === 'signed_out') void start();
  });
  const start = async (): Promise<void> => {
    if (readCookie(csrfCookie) === '') {
      forget(null);
      return;
    }
    try {
      await enter(await renew());
    } catch (err) {
      if (isSignedOut(err)) forget(null);
      else state.set({ kind: 'unreachable', error: err });
    }
  };
  return {
    state,
    connection: authorized,
    start,
    fetch: (path, init = {}) =>
      withToken(async () => {
        const headers = new Headers(init.headers);
        headers.set('authorization', `Bearer ${token ?? ''}`);
        const response = await fetch(`/api/v1${path}`, { ...init, headers }).catch(
          (err: unknown) => {
            init.signal?.throwIfAborted();
            throw vaultUnreachable(err);
          },
        );
        if (response.ok) return response;
        throw vaultErrorOf(response.status, response.headers, await response.text());
      }),
    async login(name, password) {
      const request = { method: 'POST', path: '/auth/login', json: { name, password } } as const;
      await enter((await plain.ask(request, signInAnswer)).data);
      tellOtherTabs('signed-in');
    },
    async join(path, account) {
      const request = { method: 'POST', path, json: account } as const;
      await enter((await plain.ask(request, signInAnswer)).data);
      tellOtherTabs('signed-in');
    },
    async loginByLink(linkToken) {
      const json = { token: linkToken };
      const request = { method: 'POST', path: '/auth/login-link', json } as const;
      await enter((await plain.ask(request, signInAnswer)).data);
      tellOtherTabs('signed-in');
    },
    async logout() {
      const headers = { [csrfHeader]: readCookie(csrfCookie) };
      const request = { method: 'POST', path: '/auth/logout', headers } as const;
      try {
        await plain.ask(request, Type.Unknown());
      } catch (err) {
        if (!isSignedOut(err)) throw err;
      }
      tellOtherTabs('signed-out');
      forget('You are signed out.');
    },
    userChanged(user) {
      const now = state.get();
      if (now.kind === 'signed_in') state.set({ ...now, user });
    },
  };
}

function isSignedOut(err: unknown): boolean {
  return err instanceof VaultError && err.status === 401;
}

function signInFirst(): VaultError {
  return new VaultError('unauthorized', 'sign in first', { status: 401, retryable: false });
}

function readCookie(name: string): string {
  const found = document.cookie.split('; ').find((each) => each.startsWith(`${name}=`));
  return decodeURIComponent(found?.slice(name.length + 1) ?? '');
}
