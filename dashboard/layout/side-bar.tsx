import type { ListedAgent } from '#shared/vault-agent-api.ts';

import { Icon } from '../controls/icon.tsx';
import type { IconName } from '../controls/icon.tsx';
import { PageLink } from '../controls/page-link.tsx';
import { AgentStatus } from '../feed/agent-status.tsx';
import { useLive, useMe } from '../live/live-context.ts';
import { agentOfPath, feedPath } from '../vault/page-path.ts';
import { useStore } from '../vault/store.ts';

type Chosen = { onChosen?: (() => void) | undefined };

export function SideBar({ path, onChosen }: { path: string } & Chosen) {
  const { live } = useLive();
  const { user, may } = useMe();
  const { agents } = useStore(live.state);
  const current = path === '/' ? agents?.[0]?.agent_id : agentOfPath(path);
  const views: readonly (readonly [string, string, IconName])[] = [
    ['/agents', 'Agents', 'agents'],
    ...(may('users:manage') ? [['/people', 'People', 'people'] as const] : []),
    ['/keys', 'Keys', 'key'],
    ...(may('audit:read') ? [['/audit', 'Audit', 'audit'] as const] : []),
    ['/system', 'System', 'system'],
  ];
  return (
    <>
      <p className="brand">
        <img src="/gate.svg" alt="" width="26" height="26" />
        Gatehouse
      </p>
      <nav aria-label="Feeds" className="side-agents">
        <h2 className="side-title">Feeds</h2>
        {agents?.length === 0 && <p className="hint">No agents yet.</p>}
        <ul>
          {agents?.map((agent) => (
            <li key={agent.agent_id}>
              <AgentLink agent={agent} isCurrent={agent.agent_id === current} onChosen={onChosen} />
            </li>
          ))}
        </ul>
      </nav>
      <nav aria-label="Views" className="side-views">
        <ul>
          {views.map(([href, text, icon]) => (
            <li key={href}>
              <ViewLink {...{ href, text, icon, path, onChosen }} />
            </li>
          ))}
          <li>
            <ViewLink
              {...{ href: '/profile', text: user.display_name, icon: 'person', path, onChosen }}
            />
          </li>
        </ul>
      </nav>
    </>
  );
}

function AgentLink({
  agent,
  isCurrent,
  onChosen,
}: { agent: ListedAgent; isCurrent: boolean } & Chosen) {
  const unread = agent.unread ?? 0;
  return (
    <PageLink
      className="side-link"
      href={feedPath(agent.agent_id)}
      aria-current={isCurrent ? 'page' : undefined}
      onClick={onChosen}
    >
      <AgentStatus agent={agent} />
      <span className="clipped">{agent.name}</span>
      {unread > 0 && (
        <span className="unread">
          {unread >= 100 ? '99+' : unread}
          <span className="visually-hidden"> unread</span>
        </span>
      )}
    </PageLink>
  );
}

function ViewLink({
  href,
  text,
  icon,
  path,
  onChosen,
}: { href: string; text: string; icon: IconName; path: string } & Chosen) {
  return (
    <PageLink
      className="side-link"
      href={href}
      aria-current={href === path ? 'page' : undefined}
      onClick={onChosen}
    >
      <Icon name={icon} />
      <span className="clipped">{text}</span>
    </PageLink>
  );
}
