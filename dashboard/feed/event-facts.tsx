import type { EventView } from '#shared/vault-event-api.ts';

export function EventFacts({ metadata }: Pick<EventView, 'metadata'>) {
  const facts = Object.entries(metadata).filter(([name]) => name !== 'source');
  if (facts.length === 0) return null;
  return (
    <details className="event-facts">
      <summary>Details</summary>
      <pre className="plain-text">{JSON.stringify(Object.fromEntries(facts), null, 2)}</pre>
    </details>
  );
}
