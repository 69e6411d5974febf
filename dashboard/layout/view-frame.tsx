import type { ReactNode } from 'react';

/** A view that is not a feed: its title, what one may do, and what there is. */
export function ViewFrame({
  title,
  intro,
  actions,
  children,
}: {
  title: string;
  intro?: string;
  actions?: ReactNode;
  children: ReactNode;
}) {
  return (
    <div className="view" tabIndex={0} role="region" aria-label={title}>
      <div className="view-body">
        <div className="view-head">
          <div>
            <h1>{title}</h1>
            {intro !== undefined && <p className="muted">{intro}</p>}
          </div>
          {actions}
        </div>
        {children}
      </div>
    </div>
  );
}
