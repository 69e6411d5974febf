import { useState } from 'react';
import { Type } from 'typebox';

import { createVaultConnection } from '#shared/vault-connection.ts';

import { useAction } from '../controls/action.ts';
import { Button } from '../controls/button.tsx';
import { FailureNote } from '../controls/failure-note.tsx';
import { Field } from '../controls/field.tsx';
import { PageLink } from '../controls/page-link.tsx';
import { EntryFrame } from './entry-frame.tsx';
import { useLinkToken } from './link-token.ts';

const vault = createVaultConnection({ url: '', token: () => null });

export function ResetView() {
  const token = useLinkToken();
  const [password, setPassword] = useState('');
  const [isDone, setDone] = useState(false);
  const { isBusy, failure, run } = useAction();
  const reset = async (): Promise<void> => {
    const json = { token, password };
    await vault.ask({ method: 'POST', path: '/auth/reset-password', json }, Type.Unknown());
    setDone(true);
  };
  return (
    <EntryFrame title="New password">
      {token === '' && <p role="alert">This link is not whole: open it as it was sent to you.</p>}
      {isDone && <p role="status">The password is changed. Sign in with it.</p>}
      {token !== '' && !isDone && (
        <form
          onSubmit={(event) => {
            event.preventDefault();
            void run(reset);
          }}
        >
          <Field
            label="New password"
            hint="At least 10 characters."
            type="password"
            autoComplete="new-password"
            required
            minLength={10}
            value={password}
            onChange={({ target }) => setPassword(target.value)}
          />
          <FailureNote text={failure} />
          <Button kind="primary" type="submit" disabled={isBusy}>
            Set the password
          </Button>
        </form>
      )}
      <p className="hint">
        <PageLink href="/">To the sign-in</PageLink>
      </p>
    </EntryFrame>
  );
}
