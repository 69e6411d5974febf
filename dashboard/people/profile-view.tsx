// One's own account: how one is shown, the password, where one is signed in.
import { useCallback, useState } from 'react';

import type { SignInView } from '#shared/vault-identity-api.ts';

import { useAction, useLoaded } from '../controls/action.ts';
import { Button } from '../controls/button.tsx';
import { FailureNote } from '../controls/failure-note.tsx';
import { Field } from '../controls/field.tsx';
import { LoadedView } from '../controls/loaded-view.tsx';
import { Moment } from '../controls/moment.tsx';
import { ViewFrame } from '../layout/view-frame.tsx';
import { useLive, useMe } from '../live/live-context.ts';
import { useNews } from '../live/news.ts';

export function ProfileView() {
  const { session } = useLive();
  const { user } = useMe();
  const { isBusy, failure, run } = useAction();
  return (
    <ViewFrame
      title="Profile"
      intro={`You are ${user.name}, in the role ${user.role}.`}
      actions={
        <Button disabled={isBusy} onClick={() => void run(session.logout)}>
          Sign out
        </Button>
      }
    >
      <FailureNote text={failure} />
      <NameForm />
      <PasswordForm />
      <SignInList />
    </ViewFrame>
  );
}

function NameForm() {
  const { session, vault } = useLive();
  const { user } = useMe();
  const [name, setName] = useState(user.display_name);
  const { isBusy, failure, run } = useAction();
  const save = async (): Promise<void> =>
    session.userChanged(await vault.changeMe(name.trim(), user.version));
  return (
    <form
      className="card"
      onSubmit={(event) => {
        event.preventDefault();
        void run(save);
      }}
    >
      <Field
        label="Shown as"
        required
        maxLength={100}
        autoComplete="name"
        value={name}
        onChange={({ target }) => setName(target.value)}
      />
      <FailureNote text={failure} />
      <div>
        <Button type="submit" disabled={isBusy || name.trim() === user.display_name}>
          Save
        </Button>
      </div>
    </form>
  );
}

function PasswordForm() {
  const { vault } = useLive();
  const { user } = useMe();
  const [current, setCurrent] = useState('');
  const [wanted, setWanted] = useState('');
  const [isDone, setDone] = useState(false);
  const { isBusy, failure, run } = useAction();
  const save = async (): Promise<void> => {
    setDone(false);
    await vault.changePassword(current, wanted);
    setCurrent('');
    setWanted('');
    setDone(true);
  };
  return (
    <section className="section">
      <h2>Password</h2>
      <form
        className="card"
        onSubmit={(event) => {
          event.preventDefault();
          void run(save);
        }}
      >
        <input type="text" hidden readOnly autoComplete="username" value={user.name} />
        <Field
          label="Current password"
          type="password"
          autoComplete="current-password"
          required
          value={current}
          onChange={({ target }) => setCurrent(target.value)}
        />
        <Field
          label="New password"
          hint="At least 10 characters. You are signed out everywhere else."
          type="password"
          autoComplete="new-password"
          required
          minLength={10}
          value={wanted}
          onChange={({ target }) => setWanted(target.value)}
        />
        <FailureNote text={failure} />
        {isDone && <p role="status">The password is changed.</p>}
        <div>
          <Button type="submit" disabled={isBusy}>
            Change the password
          </Button>
        </div>
      </form>
    </section>
  );
}

function SignInList() {
  const { vault } = useLive();
  const signIns = useLoaded(useCallback(() => vault.signIns(), [vault]));
  useNews('peopleNews', signIns);
  const { isBusy, failure, run } = useAction();
  const end = async (signIn: SignInView): Promise<void> => {
    await vault.endSignIn(signIn);
    await signIns.reload();
  };
  return (
    <section className="section">
      <h2>Where you are signed in</h2>
      <FailureNote text={failure} />
      <LoadedView loaded={signIns}>
        {(items) => (
          <ul className="card list">
            {items.map((signIn) => (
              <li key={signIn.sign_in_id} className="row">
                <div className="row-main">
                  <span>
                    {signIn.address} {signIn.is_current && <span className="badge">here</span>}
                  </span>
                  <span className="muted">
                    since <Moment at={signIn.created_at} /> · {browserOf(signIn.user_agent)}
                  </span>
                </div>
                {!signIn.is_current && (
                  <Button disabled={isBusy} onClick={() => void run(() => end(signIn))}>
                    Sign out there
                  </Button>
                )}
              </li>
            ))}
          </ul>
        )}
      </LoadedView>
    </section>
  );
}

const browsers = ['Firefox', 'Edg', 'Chrome', 'Safari'];

function browserOf(userAgent: string): string {
  const found = browsers.find((name) => userAgent.includes(name));
  if (found === undefined) return userAgent.slice(0, 40) || 'an unknown program';
  return found === 'Edg' ? 'Edge' : found;
}
