import { useEffect } from 'react';
import type { ReactNode } from 'react';

export function EntryFrame({ title, children }: { title: string; children: ReactNode }) {
  useEffect(() => {
    document.title = title === 'Gatehouse' ? title : `${title} · Gatehouse`;
  }, [title]);
  return (
    <main className="entry">
      <div className="entry-card">
        <img src="/gate.svg" alt="" width="44" height="44" />
        <h1>{title}</h1>
        {children}
      </div>
    </main>
  );
}
