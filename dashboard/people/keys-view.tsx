// Keys for programs: made, renewed, revoked.
import { useCallback, useState } from 'react';

import type { KeyView } from '#shared/vault-identity-api.ts';

import { useAction, useLoaded } from '../controls/action.ts';
import { Button } from '../controls/button.tsx';
import { ConfirmDialog } from '../controls/confirm-dialog.tsx';
import { FailureNote } from '../controls/failure-note.tsx';
import { Icon } from '../controls/icon.tsx';
import { LoadedView } from '../controls/loaded-view.tsx';
import { Moment } from '../controls/moment.tsx';
import { SecretNote } from '../controls/secret-note.tsx';
import { ViewFrame } from '../layout/view-frame.tsx';
import { useLive, useMe } from '../live/live-context.ts';
import { KeyDialog } from './key-dialog.tsx';

export function KeysView() {
  const { vault } = useLive();
  const keys = useLoaded(useCallback(() => vault.keys(), [vault]));
  const [isMaking, setMaking] = useState(false);
  const [secret, setSecret] = useState<{ name: string; key: string } | null>(null);
  return (
    <ViewFrame
      title="Keys"
      intro="For programs: watchers, and apps that write or read."
      actions={
        <Button kind="primary" onClick={() => setMaking(true)}>
          <Icon name="add" />
          New key
        </Button>
      }
    >
      {secret !== null && (
        <SecretNote
          text={`The key “${secret.name}”. Put it where the program reads it; it is not shown again.`}
          secret={secret.key}
        />
      )}
      <LoadedView loaded={keys}>
        {(items) =>
          items.length === 0 ? (
            <p className="muted">There are none yet.</p>
          ) : (
            <ul className="card list">
              {items.map((key) => (
                <KeyItem key={key.key_id} item={key} onChanged={keys.reload} onSecret={setSecret} />
              ))}
            </ul>
          )
        }
      </LoadedView>
      {isMaking && (
        <KeyDialog
          onClose={() => setMaking(false)}
          onMade={async (made) => {
            setSecret(made);
            setMaking(false);
            await keys.reload();
          }}
        />
      )}
    </ViewFrame>
  );
}

function KeyItem({
  item,
  onChanged,
  onSecret,
}: {
  item: KeyView;
  onChanged: () => Promise<void>;
  onSecret: (secret: { name: string; key: string }) => void;
}) {
  const { vault } = useLive();
  const { user } = useMe();
  const { isBusy, failure, run } = useAction();
  const [isAsking, setAsking] = useState(false);
  const { name, kind, scopes, agents, expires_at: endsAt, last_used_at: usedAt } = item;
  const renew = async (): Promise<void> => {
    const { key } = await vault.rotateKey(item);
    onSecret({ name, key });
    await onChanged();
  };
  return (
    <li className="section">
      <div className="row">
        <div className="row-main">
          <strong>
            {name} {kind === 'dev' && <span className="badge">dev</span>}{' '}
            {item.owner_id !== user.user_id && <span className="badge">of somebody else</span>}
          </strong>
          <span className="muted">
            {scopes.join(', ')}
            {agents !== null &&
              ` · for ${agents.length} ${agents.length === 1 ? 'agent' : 'agents'}`}
          </span>
          <span className="muted">
            {usedAt === null ? (
              'never used'
            ) : (
              <>
                used <Moment at={usedAt} />
              </>
            )}
            {endsAt !== null && (
              <>
                {' '}
                · until <Moment at={endsAt} />
              </>
            )}
          </span>
        </div>
        <div className="row-actions">
          <Button disabled={isBusy} aria-label={`Renew ${name}`} onClick={() => void run(renew)}>
            Renew
          </Button>
          <Button disabled={isBusy} aria-label={`Revoke ${name}`} onClick={() => setAsking(true)}>
            Revoke
          </Button>
        </div>
      </div>
      <FailureNote text={failure} />
      {isAsking && (
        <ConfirmDialog
          title={`Revoke ${name}?`}
          deed="Revoke"
          onClose={() => setAsking(false)}
          onConfirm={async () => {
            await vault.revokeKey(item);
            await onChanged();
          }}
        >
          <p>Whatever uses it is shut out at once. This cannot be undone.</p>
        </ConfirmDialog>
      )}
    </li>
  );
}
