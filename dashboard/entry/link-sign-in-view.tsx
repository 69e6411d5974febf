// A link that somebody on the vault's host has made: opening it is all that there is to do.
import { useEffect, useRef } from 'react';

import { useAction } from '../controls/action.ts';
import { FailureNote } from '../controls/failure-note.tsx';
import { PageLink } from '../controls/page-link.tsx';
import { goTo } from '../vault/page-path.ts';
import type { Session } from '../vault/session.ts';
import { useStore } from '../vault/store.ts';
import { EntryFrame } from './entry-frame.tsx';
import { useLinkToken } from './link-token.ts';

export function LinkSignInView({ session }: { session: Session }) {
  const token = useLinkToken();
  const { failure, run } = useAction();
  const isAsked = useRef(false);
  // What the cookies of an earlier sign-in give would come in between.
  const isStarting = useStore(session.state).kind === 'starting';
  useEffect(() => {
    // It works once, also where effects run twice.
    if (token === '' || isStarting || isAsked.current) return;
    isAsked.current = true;
    void run(async () => {
      await session.loginByLink(token);
      goTo('/', 'replace');
    });
  }, [session, token, isStarting, run]);
  return (
    <EntryFrame title="Sign in">
      {token === '' && <p role="alert">This link is not whole: open it as it was printed.</p>}
      {token !== '' && failure === null && <p role="status">Signing you in…</p>}
      <FailureNote text={failure} />
      {(token === '' || failure !== null) && (
        <p className="hint">
          <PageLink href="/">Sign in with a password</PageLink>
        </p>
      )}
    </EntryFrame>
  );
}
