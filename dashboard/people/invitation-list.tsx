import { useCallback, useState } from 'react';

import type { InvitationView } from '#shared/vault-identity-api.ts';

import { useAction, useLoaded } from '../controls/action.ts';
import { Button } from '../controls/button.tsx';
import { FailureNote } from '../controls/failure-note.tsx';
import { SelectField } from '../controls/field.tsx';
import { LoadedView } from '../controls/loaded-view.tsx';
import { Moment } from '../controls/moment.tsx';
import { SecretNote } from '../controls/secret-note.tsx';
import { useLive } from '../live/live-context.ts';
import { useNews } from '../live/news.ts';
import { isRole, roleOptions } from './role-options.ts';
import type { RoleName } from './role-options.ts';

export function InvitationList() {
  const { vault } = useLive();
  const invitations = useLoaded(useCallback(() => vault.invitations(), [vault]));
  useNews('peopleNews', invitations);
  const [role, setRole] = useState<RoleName>('agent');
  const [link, setLink] = useState<string | null>(null);
  const { isBusy, failure, run } = useAction();
  const invite = async (): Promise<void> => {
    setLink((await vault.invite(role)).link);
    await invitations.reload();
  };
  const revoke = async (invitation: InvitationView): Promise<void> => {
    await vault.revokeInvitation(invitation);
    await invitations.reload();
  };
  return (
    <section className="section">
      <h2>Invitations</h2>
      <div className="card">
        <form
          className="filters"
          onSubmit={(event) => {
            event.preventDefault();
            void run(invite);
          }}
        >
          <SelectField
            label="Role of whom you invite"
            options={roleOptions}
            value={role}
            onChange={({ target }) => isRole(target.value) && setRole(target.value)}
          />
          <Button kind="primary" type="submit" disabled={isBusy}>
            Invite
          </Button>
        </form>
        {link !== null && (
          <SecretNote
            text="Send this link. It works once, for seven days, and is not shown again."
            secret={link}
          />
        )}
        <FailureNote text={failure} />
        <LoadedView loaded={invitations}>
          {(items) =>
            items.length === 0 ? (
              <p className="muted">Nobody was invited yet.</p>
            ) : (
              <ul className="list">
                {items.map((invitation) => (
                  <li key={invitation.invitation_id} className="row">
                    <div className="row-main">
                      <span>
                        As {invitation.role} <span className="badge">{invitation.state}</span>
                      </span>
                      <span className="muted">
                        made <Moment at={invitation.created_at} />, until{' '}
                        <Moment at={invitation.expires_at} />
                      </span>
                    </div>
                    {invitation.state === 'open' && (
                      <Button disabled={isBusy} onClick={() => void run(() => revoke(invitation))}>
                        Revoke
                      </Button>
                    )}
                  </li>
                ))}
              </ul>
            )
          }
        </LoadedView>
      </div>
    </section>
  );
}
