// Keys for programs: made, renewed, revoked.
import { useCallback, useState } from 'react';

import type { ListedAgent } from '#shared/vault-agent-api.ts';
import type { KeyView } from '#shared/vault-identity-api.ts';

import { useAction, useLoaded } from '../controls/action.ts';
import { Button } from '../controls/button.tsx';
import { ConfirmDialog } from '../controls/confirm-dialog.tsx';
import { FailureNote } from '../controls/failure-note.tsx';
import { Icon } from '../controls/icon.tsx';
import { LoadedView } from '../controls/loaded-view.tsx';
import { Moment } from '../controls/moment.tsx';
import { PageLink } from '../controls/page-link.tsx';
import { SecretNote } from '../controls/secret-note.tsx';
import { ViewFrame } from '../layout/view-frame.tsx';
import { useLive, useMe } from '../live/live-context.ts';
import { useNews } from '../live/news.ts';
import { useQuery } from '../vault/page-path.ts';
import { useStore } from '../vault/store.ts';
import { KeyDialog } from './key-dialog.tsx';
import { wordsOf } from './key-scopes.ts';

export function KeysView() {
  const { vault, live } = useLive();
  const agents = useStore(live.state).agents ?? [];
  const agentId = useQuery().get('agent');
  const agent = agents.find(({ agent_id: id }) => id === agentId);
  const keys = useLoaded(useCallback(() => vault.keys(), [vault]));
  useNews('peopleNews', keys);
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
      {agent !== undefined && (
        <p>
          Those that reach <strong>{agent.name}</strong>. <PageLink href="/keys">Show all</PageLink>
        </p>
      )}
      {secret !== null && (
        <SecretNote
          text={`The key “${secret.name}”. Put it where the program reads it; it is not shown again.`}
          secret={secret.key}
        />
      )}
      <LoadedView loaded={keys}>
        {(all) => {
          const items = agent === undefined ? all : all.filter((key) => reaches(key, agent));
          if (items.length === 0) return <p className="muted">There are none yet.</p>;
          return (
            <ul className="card list">
              {items.map((key) => (
                <KeyItem
                  key={key.key_id}
                  item={key}
                  agents={agents}
                  onChanged={keys.reload}
                  onSecret={setSecret}
                />
              ))}
            </ul>
          );
        }}
      </LoadedView>
      {isMaking && (
        <KeyDialog
          forAgent={agent?.agent_id ?? null}
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

function reaches({ agents }: KeyView, { agent_id: id }: ListedAgent): boolean {
  return agents === null || agents.includes(id);
}

function agentsText({ agents: ids }: KeyView, agents: readonly ListedAgent[]): string {
  if (ids === null) return 'all agents';
  const names = ids.map((id) => agents.find(({ agent_id: each }) => each === id)?.name ?? id);
  return names.join(', ');
}

function KeyItem({
  item,
  agents,
  onChanged,
  onSecret,
}: {
  item: KeyView;
  agents: readonly ListedAgent[];
  onChanged: () => Promise<void>;
  onSecret: (secret: { name: string; key: string }) => void;
}) {
  const { vault } = useLive();
  const { user } = useMe();
  const { isBusy, failure, run } = useAction();
  const [isAsking, setAsking] = useState(false);
  const { name, kind, scopes, expires_at: endsAt, last_used_at: usedAt } = item;
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
          <span>For {agentsText(item, agents)}</span>
          <span className="muted">May {wordsOf(scopes)}</span>
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
