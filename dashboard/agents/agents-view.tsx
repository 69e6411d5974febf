// Agents: created, named, put in order, archived and brought back.
import { useCallback, useState } from 'react';
import type { ReactNode } from 'react';

import type { ListedAgent } from '#shared/vault-agent-api.ts';

import { useAction, useLoaded } from '../controls/action.ts';
import { Button } from '../controls/button.tsx';
import { ConfirmDialog } from '../controls/confirm-dialog.tsx';
import { FailureNote } from '../controls/failure-note.tsx';
import { Icon } from '../controls/icon.tsx';
import { LoadedView } from '../controls/loaded-view.tsx';
import { PageLink } from '../controls/page-link.tsx';
import { AgentStatus } from '../feed/agent-status.tsx';
import { ViewFrame } from '../layout/view-frame.tsx';
import { useLive, useMe } from '../live/live-context.ts';
import { agentKeysPath, feedPath } from '../vault/page-path.ts';
import { useStore } from '../vault/store.ts';
import { AgentDialog } from './agent-dialog.tsx';

type Shown = { kind: 'new' } | { kind: 'change' | 'archive'; agent: ListedAgent };

export function AgentsView() {
  const { vault, live } = useLive();
  const { may } = useMe();
  const { agents, agentsFailure } = useStore(live.state);
  const [shown, setShown] = useState<Shown | null>(null);
  const archived = useLoaded(useCallback(() => vault.agents(true), [vault]));
  const ordering = useAction();
  const mayChange = may('agents:write');
  const changed = async (): Promise<void> => {
    live.reloadAgents();
    await archived.reload();
  };
  const move = (index: number, step: number): void => {
    const ids = (agents ?? []).map(({ agent_id: id }) => id);
    const moved = ids.toSpliced(index, 1).toSpliced(index + step, 0, ids[index] ?? '');
    void ordering.run(async () => {
      const { version } = await vault.agentOrder();
      await vault.orderAgents(moved, version);
      live.reloadAgents();
    });
  };
  return (
    <ViewFrame
      title="Agents"
      intro="Whom one can write to. A watcher answers for them."
      actions={
        mayChange && (
          <Button kind="primary" onClick={() => setShown({ kind: 'new' })}>
            <Icon name="add" />
            New agent
          </Button>
        )
      }
    >
      <FailureNote text={ordering.failure ?? agentsFailure} />
      {agents?.length === 0 && <p className="muted">There are none yet.</p>}
      {agents !== null && agents.length > 0 && (
        <ul className="card list">
          {agents.map((agent, index) => (
            <AgentItem
              key={agent.agent_id}
              agent={agent}
              onShow={(kind) => setShown({ kind, agent })}
            >
              {mayChange && (
                <PlaceButtons
                  name={agent.name}
                  isFirst={index === 0}
                  isLast={index === agents.length - 1}
                  isBusy={ordering.isBusy}
                  onMove={(step) => move(index, step)}
                />
              )}
            </AgentItem>
          ))}
        </ul>
      )}
      <LoadedView loaded={archived}>
        {(items) => <ArchivedAgents agents={items} onRestored={changed} />}
      </LoadedView>
      {shown?.kind === 'new' && (
        <AgentDialog agent={null} onDone={changed} onClose={() => setShown(null)} />
      )}
      {shown?.kind === 'change' && (
        <AgentDialog agent={shown.agent} onDone={changed} onClose={() => setShown(null)} />
      )}
      {shown?.kind === 'archive' && (
        <ConfirmDialog
          title={`Archive ${shown.agent.name}?`}
          deed="Archive"
          onClose={() => setShown(null)}
          onConfirm={async () => {
            await vault.archiveAgent(shown.agent);
            await changed();
          }}
        >
          <p>
            It leaves the list and takes no more messages. Its feed is kept; you can bring it back.
          </p>
        </ConfirmDialog>
      )}
    </ViewFrame>
  );
}

function PlaceButtons({
  name,
  isFirst,
  isLast,
  isBusy,
  onMove,
}: {
  name: string;
  isFirst: boolean;
  isLast: boolean;
  isBusy: boolean;
  onMove: (step: number) => void;
}) {
  return (
    <>
      <Button
        kind="quiet"
        className="button-icon"
        aria-label={`Move ${name} up`}
        disabled={isFirst || isBusy}
        onClick={() => onMove(-1)}
      >
        <Icon name="up" />
      </Button>
      <Button
        kind="quiet"
        className="button-icon"
        aria-label={`Move ${name} down`}
        disabled={isLast || isBusy}
        onClick={() => onMove(1)}
      >
        <Icon name="down" />
      </Button>
    </>
  );
}

function AgentItem({
  agent,
  onShow,
  children,
}: {
  agent: ListedAgent;
  onShow: (kind: 'change' | 'archive') => void;
  children: ReactNode;
}) {
  const { may } = useMe();
  const { agent_id: id, name } = agent;
  return (
    <li className="row">
      <AgentFacts agent={agent} />
      <div className="row-actions">
        {children}
        <PageLink
          className="button button-plain"
          href={agentKeysPath(id)}
          aria-label={`Keys of ${name}`}
        >
          Keys
        </PageLink>
        {may('agents:write') && (
          <>
            <Button aria-label={`Edit ${name}`} onClick={() => onShow('change')}>
              Edit
            </Button>
            <Button aria-label={`Archive ${name}`} onClick={() => onShow('archive')}>
              Archive
            </Button>
          </>
        )}
      </div>
    </li>
  );
}

function AgentFacts({ agent }: { agent: ListedAgent }) {
  const { agent_id: id, name, description } = agent;
  return (
    <div className="row-main">
      <strong>
        <PageLink href={feedPath(id)}>{name}</PageLink>
      </strong>
      {description !== '' && <span className="muted">{description}</span>}
      <AgentStatus agent={agent} hasText />
    </div>
  );
}

function ArchivedAgents({
  agents,
  onRestored,
}: {
  agents: readonly ListedAgent[];
  onRestored: () => Promise<void>;
}) {
  const { vault } = useLive();
  const { may } = useMe();
  const { isBusy, failure, run } = useAction();
  if (agents.length === 0) return null;
  const restore = async (agent: ListedAgent): Promise<void> => {
    await vault.restoreAgent(agent);
    await onRestored();
  };
  return (
    <section className="section">
      <h2>Archived</h2>
      <FailureNote text={failure} />
      <ul className="card list">
        {agents.map((agent) => (
          <li key={agent.agent_id} className="row">
            <span className="row-main">{agent.name}</span>
            {may('agents:write') && (
              <Button
                aria-label={`Bring ${agent.name} back`}
                disabled={isBusy}
                onClick={() => void run(() => restore(agent))}
              >
                Bring back
              </Button>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}
