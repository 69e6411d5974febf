// Who changed what, newest first.
import { useCallback, useState } from 'react';

import { useAction, useLoaded } from '../controls/action.ts';
import { Button } from '../controls/button.tsx';
import { FailureNote } from '../controls/failure-note.tsx';
import { Field } from '../controls/field.tsx';
import { LoadedView } from '../controls/loaded-view.tsx';
import { Moment } from '../controls/moment.tsx';
import { ViewFrame } from '../layout/view-frame.tsx';
import { useLive } from '../live/live-context.ts';
import { useNews } from '../live/news.ts';
import type { AuditItem, Page } from '../vault/page-vault.ts';

type Query = { user?: string; action?: string };

export function AuditView() {
  const { vault } = useLive();
  const [user, setUser] = useState('');
  const [action, setAction] = useState('');
  const [query, setQuery] = useState<Query>({});
  const loaded = useLoaded(useCallback(() => vault.audit(query), [vault, query]));
  useNews('auditNews', loaded);
  return (
    <ViewFrame title="Audit" intro="Who changed what, and from where. Nobody can change it.">
      <form
        className="filters"
        onSubmit={(event) => {
          event.preventDefault();
          setQuery({
            ...(user.trim() === '' ? {} : { user: user.trim() }),
            ...(action.trim() === '' ? {} : { action: action.trim() }),
          });
        }}
      >
        <Field
          label="By whom"
          placeholder="name of a user or key"
          value={user}
          onChange={({ target }) => setUser(target.value)}
        />
        <Field
          label="What"
          placeholder="such as agent.created"
          value={action}
          onChange={({ target }) => setAction(target.value)}
        />
        <Button type="submit">Show</Button>
      </form>
      <LoadedView loaded={loaded}>
        {(page) => <AuditPages key={JSON.stringify(query)} first={page} query={query} />}
      </LoadedView>
    </ViewFrame>
  );
}

function AuditPages({ first, query }: { first: Page<AuditItem>; query: Query }) {
  const { vault } = useLive();
  const [older, setOlder] = useState<Page<AuditItem> | null>(null);
  const { items, next } = withOlder(first, older);
  const { isBusy, failure, run } = useAction();
  const more = async (): Promise<void> => {
    const page = await vault.audit({ ...query, after: next ?? undefined });
    setOlder({ items: [...items, ...page.items], next: page.next });
  };
  if (items.length === 0) return <p className="muted">Nothing of that kind was written down.</p>;
  return (
    <>
      <table className="data-table">
        <thead>
          <tr>
            <th scope="col">When</th>
            <th scope="col">Who</th>
            <th scope="col">What</th>
            <th scope="col">From</th>
          </tr>
        </thead>
        <tbody>
          {items.map((item) => (
            <AuditRow key={item.seq} item={item} />
          ))}
        </tbody>
      </table>
      <FailureNote text={failure} />
      {next !== null && (
        <div>
          <Button disabled={isBusy} onClick={() => void run(more)}>
            {isBusy ? 'Loading…' : 'Show older'}
          </Button>
        </div>
      )}
    </>
  );
}

/** The newest page and what was loaded after it; alone when so much is new that something lies between the two. */
function withOlder(first: Page<AuditItem>, older: Page<AuditItem> | null): Page<AuditItem> {
  const newest = older?.items[0]?.seq;
  if (older === null || newest === undefined) return first;
  const news = first.items.filter(({ seq }) => seq > newest);
  if (news.length === first.items.length && first.next !== null) return first;
  return { items: [...news, ...older.items], next: older.next };
}

function AuditRow({ item }: { item: AuditItem }) {
  const { at, actor, action, resource, address, details } = item;
  const facts = factsText(details);
  return (
    <tr>
      <td className="nowrap" data-label="">
        <Moment at={at} />
      </td>
      <td data-label="Who">{actor.name ?? actor.kind}</td>
      <td data-label="What">
        {action}
        {resource !== null && <div className="hint">{resource}</div>}
        {facts !== '' && <div className="hint">{facts}</div>}
      </td>
      <td className="nowrap" data-label="From">
        {address ?? 'the host'}
      </td>
    </tr>
  );
}

function factsText(details: AuditItem['details']): string {
  return Object.entries(details)
    .map(([name, value]) => `${name}: ${factText(value)}`)
    .join(' · ');
}

function factText(value: unknown): string {
  if (typeof value === 'string') return value;
  if (Array.isArray(value)) return value.map(factText).join(', ');
  return JSON.stringify(value);
}
