// How everything is: the vault itself, and each host as its watcher reports it.
import { useCallback, useEffect } from 'react';

import { VaultError } from '#shared/vault-client-error.ts';

import { useLoaded } from '../controls/action.ts';
import { LoadedView } from '../controls/loaded-view.tsx';
import { ViewFrame } from '../layout/view-frame.tsx';
import { useLive } from '../live/live-context.ts';
import type { PageVault, Readiness } from '../vault/page-vault.ts';
import { useStore } from '../vault/store.ts';
import { HostCard } from './host-card.tsx';

/** How loaded a host is, and how the vault is, is told by no event. */
const againMs = 10_000;

export function SystemView() {
  const { vault, live } = useLive();
  const { hostNews } = useStore(live.state);
  const hosts = useLoaded(useCallback(() => vault.hosts(), [vault]));
  const readiness = useLoaded(useCallback(() => readyOf(vault), [vault]));
  const { reload: reloadHosts } = hosts;
  const { reload: reloadReadiness } = readiness;
  useEffect(() => {
    const look = (): void => {
      if (document.visibilityState !== 'visible') return;
      void reloadHosts();
      void reloadReadiness();
    };
    if (hostNews > 0) look();
    const timer = setInterval(look, againMs);
    return () => clearInterval(timer);
  }, [hostNews, reloadHosts, reloadReadiness]);
  return (
    <ViewFrame title="System" intro="The vault, and the hosts that answer.">
      <section className="section">
        <h2>Vault</h2>
        <LoadedView loaded={readiness}>{(state) => <VaultCard readiness={state} />}</LoadedView>
      </section>
      <section className="section">
        <h2>Hosts</h2>
        <LoadedView loaded={hosts}>
          {(items) =>
            items.length === 0 ? (
              <p className="muted">
                No host has reported yet. A watcher does so when it runs:{' '}
                <code>npm run watcher</code>.
              </p>
            ) : (
              <div className="cards">
                {items.map((host) => (
                  <HostCard key={host.name} host={host} />
                ))}
              </div>
            )
          }
        </LoadedView>
      </section>
    </ViewFrame>
  );
}

function VaultCard({ readiness: { ready, parts } }: { readiness: Readiness }) {
  return (
    <div className="card">
      <p>
        <span className={`badge ${ready ? 'badge-ok' : 'badge-bad'}`}>
          {ready ? 'works' : 'does not work'}
        </span>
      </p>
      <dl className="facts">
        <div className="facts-row">
          <dt>version</dt>
          <dd>{PROJECT_VERSION}</dd>
        </div>
        {parts.map(({ name, ok, detail }) => (
          <div key={name} className="facts-row">
            <dt>{name}</dt>
            <dd>{ok ? (detail ?? 'fine') : `not fine: ${detail ?? 'no reason given'}`}</dd>
          </div>
        ))}
      </dl>
    </div>
  );
}

/** A vault that does not work says so with its parts in the error. */
async function readyOf(vault: PageVault): Promise<Readiness> {
  try {
    return await vault.readiness();
  } catch (err) {
    const parts = err instanceof VaultError ? err.details?.['parts'] : undefined;
    if (!Array.isArray(parts)) throw err;
    return {
      ready: false,
      parts: parts.map((part: { name?: unknown; ok?: unknown; detail?: unknown }) => ({
        name: String(part.name),
        ok: part.ok === true,
        detail: typeof part.detail === 'string' ? part.detail : null,
      })),
    };
  }
}
