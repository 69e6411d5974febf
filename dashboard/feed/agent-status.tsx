import type { ListedAgent } from '#shared/vault-agent-api.ts';

const words = {
  online: 'ready',
  working: 'working',
  offline: 'offline',
  error: 'in trouble',
};

export function AgentStatus({
  agent,
  hasText = false,
}: {
  agent: Pick<ListedAgent, 'status' | 'status_text'>;
  hasText?: boolean;
}) {
  const { status, status_text: text } = agent;
  return (
    <span className={`status status-${status}`}>
      <span className="status-dot" aria-hidden="true" />
      <span className={hasText ? '' : 'visually-hidden'}>
        {words[status]}
        {hasText && text !== null && text !== '' ? `: ${text}` : ''}
      </span>
    </span>
  );
}
