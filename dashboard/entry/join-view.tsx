// The first account, or one by invitation.
import { useState } from 'react';

import { useAction } from '../controls/action.ts';
import { Button } from '../controls/button.tsx';
import { FailureNote } from '../controls/failure-note.tsx';
import { Field } from '../controls/field.tsx';
import { PageLink } from '../controls/page-link.tsx';
import { goTo } from '../vault/page-path.ts';
import type { Session } from '../vault/session.ts';
import { EntryFrame } from './entry-frame.tsx';
import { useLinkToken } from './link-token.ts';

const words = {
  setup: {
    title: 'Set up Gatehouse',
    intro: 'Make the first account. It is an admin and can invite the others.',
    path: '/auth/setup',
    incomplete: 'This set-up link is not whole: open it as the vault has printed it.',
  },
  invitation: {
    title: 'Join Gatehouse',
    intro: 'You were invited. Choose a name and a password.',
    path: '/auth/accept-invitation',
    incomplete: 'This invitation is not whole: open the link as it was sent to you.',
  },
};

export function JoinView({ session, kind }: { session: Session; kind: keyof typeof words }) {
  const token = useLinkToken();
  const { title, intro, path, incomplete } = words[kind];
  return (
    <EntryFrame title={title}>
      {token === '' ? (
        <p role="alert">{incomplete}</p>
      ) : (
        <>
          <p>{intro}</p>
          <AccountForm
            deed={kind === 'setup' ? 'Set up' : 'Join'}
            onSubmit={async (account) => {
              await session.join(path, { token, ...account });
              goTo('/', 'replace');
            }}
          />
        </>
      )}
      <p className="hint">
        <PageLink href="/">I have an account: sign in</PageLink>
      </p>
    </EntryFrame>
  );
}

type Account = { name: string; display_name?: string; password: string };

function AccountForm({
  deed,
  onSubmit,
}: {
  deed: string;
  onSubmit: (account: Account) => Promise<void>;
}) {
  const [name, setName] = useState('');
  const [displayName, setDisplayName] = useState('');
  const [password, setPassword] = useState('');
  const { isBusy, failure, run } = useAction();
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        const shown = displayName.trim();
        const account = { name, password, ...(shown === '' ? {} : { display_name: shown }) };
        void run(() => onSubmit(account));
      }}
    >
      <Field
        label="Name"
        hint="Small letters, digits, dot, dash. You sign in with it."
        autoComplete="username"
        autoCapitalize="none"
        spellCheck={false}
        required
        maxLength={64}
        pattern="[a-z0-9._\-]+"
        value={name}
        onChange={({ target }) => setName(target.value)}
      />
      <Field
        label="Shown as (optional)"
        autoComplete="name"
        maxLength={100}
        value={displayName}
        onChange={({ target }) => setDisplayName(target.value)}
      />
      <Field
        label="Password"
        hint="At least 10 characters. A few words that you remember are good."
        type="password"
        autoComplete="new-password"
        required
        minLength={10}
        value={password}
        onChange={({ target }) => setPassword(target.value)}
      />
      <FailureNote text={failure} />
      <Button kind="primary" type="submit" disabled={isBusy}>
        {isBusy ? 'One moment…' : deed}
      </Button>
    </form>
  );
}
