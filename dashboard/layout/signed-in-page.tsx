// The page behind the door: agents and views at the side, one of them in the middle.
import { useEffect, useRef, useState } from 'react';
import type { RefObject } from 'react';

import { AgentsView } from '../agents/agents-view.tsx';
import { AuditView } from '../audit/audit-view.tsx';
import { Button } from '../controls/button.tsx';
import { Dialog } from '../controls/dialog.tsx';
import { FailureNote } from '../controls/failure-note.tsx';
import { Icon } from '../controls/icon.tsx';
import { PageLink } from '../controls/page-link.tsx';
import { FeedView } from '../feed/feed-view.tsx';
import { useLive, useMe } from '../live/live-context.ts';
import type { LiveState } from '../live/live-vault.ts';
import { KeysView } from '../people/keys-view.tsx';
import { PeopleView } from '../people/people-view.tsx';
import { ProfileView } from '../people/profile-view.tsx';
import { SystemView } from '../system/system-view.tsx';
import { agentOfPath, usePath } from '../vault/page-path.ts';
import { useStore } from '../vault/store.ts';
import { ConnectionNote } from './connection-note.tsx';
import { SideBar } from './side-bar.tsx';

const titles: Readonly<Record<string, string>> = {
  '/agents': 'Agents',
  '/people': 'People',
  '/keys': 'Keys',
  '/audit': 'Audit',
  '/system': 'System',
  '/profile': 'Profile',
};

export function SignedInPage() {
  const { live } = useLive();
  const state = useStore(live.state);
  const path = usePath();
  const [isMenuOpen, setMenuOpen] = useState(false);
  const title = titleOf(path, state);
  const unread = (state.agents ?? []).reduce((sum, agent) => sum + (agent.unread ?? 0), 0);
  useEffect(() => {
    document.title = `${unread > 0 ? `(${unread}) ` : ''}${title} · Gatehouse`;
  }, [title, unread]);
  const main = useRef<HTMLElement>(null);
  useFocusOfView(path, main);
  return (
    <div className="page">
      <a className="skip-link" href="#main">
        Skip to the content
      </a>
      <header className="top-bar">
        <Button
          kind="quiet"
          className="button-icon"
          aria-label={unread > 0 ? `Menu, ${unread} unread` : 'Menu'}
          aria-haspopup="dialog"
          onClick={() => setMenuOpen(true)}
        >
          <Icon name="menu" />
          {unread > 0 && <span className="menu-mark" />}
        </Button>
        <span className="clipped">Gatehouse</span>
      </header>
      <div className="side">
        <SideBar path={path} />
      </div>
      {isMenuOpen && (
        <Dialog title="Gatehouse" className="side-dialog" onClose={() => setMenuOpen(false)}>
          <SideBar path={path} onChosen={() => setMenuOpen(false)} />
        </Dialog>
      )}
      <main ref={main} className="main" id="main" tabIndex={-1}>
        <ConnectionNote />
        <View path={path} state={state} />
      </main>
    </div>
  );
}

/** Whoever goes to another view by keyboard is there, and hears its name. */
function useFocusOfView(path: string, main: RefObject<HTMLElement | null>): void {
  const shown = useRef(path);
  useEffect(() => {
    if (shown.current === path) return;
    shown.current = path;
    const title = main.current?.querySelector('h1');
    if (title != null) title.tabIndex = -1;
    (title ?? main.current)?.focus();
  }, [path, main]);
}

function View({ path, state }: { path: string; state: LiveState }) {
  const { live } = useLive();
  const { may } = useMe();
  switch (path) {
    case '/agents':
      return <AgentsView />;
    case '/people':
      return may('users:manage') ? <PeopleView /> : <NotForYou />;
    case '/keys':
      return <KeysView />;
    case '/audit':
      return may('audit:read') ? <AuditView /> : <NotForYou />;
    case '/system':
      return <SystemView />;
    case '/profile':
      return <ProfileView />;
    default:
      break;
  }
  const { agents, agentsFailure } = state;
  if (agents === null) {
    return agentsFailure === null ? (
      <p className="feed-note" role="status">
        Loading…
      </p>
    ) : (
      <div className="feed-note">
        <FailureNote text={agentsFailure} />
        <Button onClick={live.reloadAgents}>Try again</Button>
      </div>
    );
  }
  const agent = agentOf(path, state);
  if (agent !== undefined) return <FeedView key={agent.agent_id} agent={agent} />;
  if (agentOfPath(path) !== null) {
    return (
      <div className="empty">
        <h1>There is no such agent</h1>
        <p>
          It may be archived: look at <PageLink href="/agents">the agents</PageLink>.
        </p>
      </div>
    );
  }
  return <NoAgents />;
}

function NoAgents() {
  const { may } = useMe();
  return (
    <div className="empty">
      <h1>No agents yet</h1>
      {may('agents:write') ? (
        <p>
          An agent is somebody that you write to.{' '}
          <PageLink href="/agents">Create the first one</PageLink>.
        </p>
      ) : (
        <p>Nobody has created an agent. Whoever may can do it under “Agents”.</p>
      )}
    </div>
  );
}

function NotForYou() {
  return (
    <div className="empty">
      <h1>Not for your role</h1>
      <p>Only admins see this. Ask one of them.</p>
    </div>
  );
}

function agentOf(path: string, { agents }: LiveState) {
  const wanted = agentOfPath(path);
  return wanted === null ? agents?.[0] : agents?.find(({ agent_id: id }) => id === wanted);
}

function titleOf(path: string, state: LiveState): string {
  return titles[path] ?? agentOf(path, state)?.name ?? 'Feed';
}
