import { useState } from 'react';

import { useAction } from '../controls/action.ts';
import { Button } from '../controls/button.tsx';
import { FailureNote } from '../controls/failure-note.tsx';
import { Field } from '../controls/field.tsx';
import type { Session } from '../vault/session.ts';
import { EntryFrame } from './entry-frame.tsx';

export function SignInView({ session, reason }: { session: Session; reason: string | null }) {
  const [name, setName] = useState('');
  const [password, setPassword] = useState('');
  const { isBusy, failure, run } = useAction();
  return (
    <EntryFrame title="Sign in">
      {reason !== null && failure === null && <p role="status">{reason}</p>}
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void run(() => session.login(name.trim(), password));
        }}
      >
        <Field
          label="Name"
          autoComplete="username"
          autoCapitalize="none"
          spellCheck={false}
          required
          maxLength={64}
          value={name}
          onChange={({ target }) => setName(target.value)}
        />
        <Field
          label="Password"
          type="password"
          autoComplete="current-password"
          required
          value={password}
          onChange={({ target }) => setPassword(target.value)}
        />
        <FailureNote text={failure} />
        <Button kind="primary" type="submit" disabled={isBusy}>
          {isBusy ? 'Signing in…' : 'Sign in'}
        </Button>
      </form>
      <p className="hint">
        No account yet? Open the invitation that an admin sent you. Is this the first start? The
        vault has printed a set-up link where it was started.
      </p>
    </EntryFrame>
  );
}
