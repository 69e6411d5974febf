// Which view one sees: one of those before the door, or the page behind it.
import { useEffect, useMemo } from 'react';

import { Button } from './controls/button.tsx';
import { EntryFrame } from './entry/entry-frame.tsx';
import { JoinView } from './entry/join-view.tsx';
import { LinkSignInView } from './entry/link-sign-in-view.tsx';
import { ResetView } from './entry/reset-view.tsx';
import { SignInView } from './entry/sign-in-view.tsx';
import { SignedInPage } from './layout/signed-in-page.tsx';
import { LiveContext } from './live/live-context.ts';
import { createLiveVault } from './live/live-vault.ts';
import { failureText } from './vault/failure-text.ts';
import { usePath } from './vault/page-path.ts';
import { createPageVault } from './vault/page-vault.ts';
import type { Session } from './vault/session.ts';
import { useStore } from './vault/store.ts';

export function App({ session }: { session: Session }) {
  const state = useStore(session.state);
  const path = usePath();
  if (path === '/setup' || path === '/accept-invitation') {
    const kind = path === '/setup' ? 'setup' : 'invitation';
    return <JoinView session={session} kind={kind} />;
  }
  if (path === '/reset-password') return <ResetView />;
  if (path === '/sign-in') return <LinkSignInView session={session} />;
  switch (state.kind) {
    case 'starting':
      return (
        <EntryFrame title="Gatehouse">
          <p role="status">One moment…</p>
        </EntryFrame>
      );
    case 'unreachable':
      return <Unreachable session={session} error={state.error} />;
    case 'signed_out':
      return <SignInView session={session} reason={state.reason} />;
    case 'signed_in':
      return <SignedIn key={state.user.user_id} session={session} userId={state.user.user_id} />;
  }
}

const againMs = 5000;

function Unreachable({ session, error }: { session: Session; error: unknown }) {
  useEffect(() => {
    const timer = setInterval(() => void session.start(), againMs);
    return () => clearInterval(timer);
  }, [session]);
  return (
    <EntryFrame title="No connection">
      <p role="alert">{failureText(error)}</p>
      <Button kind="primary" onClick={() => void session.start()}>
        Try again
      </Button>
    </EntryFrame>
  );
}

function SignedIn({ session, userId }: { session: Session; userId: string }) {
  const vault = useMemo(() => createPageVault(session), [session]);
  const live = useMemo(
    () => createLiveVault({ connection: session.connection, vault, userId }),
    [session, vault, userId],
  );
  useEffect(() => {
    const stop = new AbortController();
    void live.run(stop.signal);
    return () => stop.abort();
  }, [live]);
  const context = useMemo(() => ({ session, vault, live }), [session, vault, live]);
  return (
    <LiveContext value={context}>
      <SignedInPage />
    </LiveContext>
  );
}
