// Users and their roles, and the invitations by which more of them come.
import { useCallback, useState } from 'react';

import type { UserView } from '#shared/vault-identity-api.ts';

import { useAction, useLoaded } from '../controls/action.ts';
import { Button } from '../controls/button.tsx';
import { ConfirmDialog } from '../controls/confirm-dialog.tsx';
import { FailureNote } from '../controls/failure-note.tsx';
import { LoadedView } from '../controls/loaded-view.tsx';
import { Moment } from '../controls/moment.tsx';
import { SecretNote } from '../controls/secret-note.tsx';
import { ViewFrame } from '../layout/view-frame.tsx';
import { useLive, useMe } from '../live/live-context.ts';
import { useNews } from '../live/news.ts';
import { InvitationList } from './invitation-list.tsx';
import { isRole, roleOptions } from './role-options.ts';

export function PeopleView() {
  const { vault } = useLive();
  const users = useLoaded(useCallback(() => vault.users(), [vault]));
  useNews('peopleNews', users);
  return (
    <ViewFrame title="People" intro="Who may sign in, and what they may do.">
      <LoadedView loaded={users}>
        {(items) => (
          <ul className="card list">
            {items.map((user) => (
              <UserItem key={user.user_id} user={user} onChanged={users.reload} />
            ))}
          </ul>
        )}
      </LoadedView>
      <InvitationList />
    </ViewFrame>
  );
}

function UserItem({ user, onChanged }: { user: UserView; onChanged: () => Promise<void> }) {
  const { vault } = useLive();
  const me = useMe().user;
  const { isBusy, failure, run } = useAction();
  const [link, setLink] = useState<string | null>(null);
  const [isAsking, setAsking] = useState(false);
  const { name, display_name: displayName, role, disabled, last_sign_in_at: lastAt } = user;
  const isMe = user.user_id === me.user_id;
  const change = async (fields: Parameters<typeof vault.changeUser>[1]): Promise<void> => {
    try {
      await vault.changeUser(user, fields);
    } finally {
      await onChanged();
    }
  };
  return (
    <li className="section">
      <div className="row">
        <div className="row-main">
          <strong>
            {displayName} {isMe && <span className="badge">you</span>}{' '}
            {disabled && <span className="badge badge-bad">disabled</span>}
          </strong>
          <span className="muted">
            {name} ·{' '}
            {lastAt === null ? (
              'never signed in'
            ) : (
              <>
                signed in <Moment at={lastAt} />
              </>
            )}
          </span>
        </div>
        <div className="row-actions">
          <select
            aria-label={`Role of ${name}`}
            value={role}
            disabled={isBusy}
            onChange={({ target }) => {
              const wanted = target.value;
              if (isRole(wanted)) void run(() => change({ role: wanted }));
            }}
          >
            {roleOptions.map(([value, text]) => (
              <option key={value} value={value}>
                {text}
              </option>
            ))}
          </select>
          <Button
            disabled={isBusy || disabled}
            aria-label={`New password for ${name}`}
            onClick={() =>
              void run(async () => setLink((await vault.offerPasswordReset(user)).link))
            }
          >
            New password
          </Button>
          {disabled ? (
            <Button
              disabled={isBusy}
              aria-label={`Enable ${name}`}
              onClick={() => void run(() => change({ disabled: false }))}
            >
              Enable
            </Button>
          ) : (
            <Button
              disabled={isBusy || isMe}
              aria-label={`Disable ${name}`}
              onClick={() => setAsking(true)}
            >
              Disable
            </Button>
          )}
        </div>
      </div>
      <FailureNote text={failure} />
      {link !== null && (
        <SecretNote
          text={`Send this link to ${displayName}. It works once, for a day, and is not shown again.`}
          secret={link}
        />
      )}
      {isAsking && (
        <ConfirmDialog
          title={`Disable ${displayName}?`}
          deed="Disable"
          onClose={() => setAsking(false)}
          onConfirm={() => change({ disabled: true })}
        >
          <p>They are signed out everywhere, and their keys stop working. You can undo it.</p>
        </ConfirmDialog>
      )}
    </li>
  );
}
