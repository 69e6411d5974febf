import type { ReactNode } from 'react';

import type { Loaded } from './action.ts';
import { Button } from './button.tsx';
import { FailureNote } from './failure-note.tsx';

/** What was loaded; that it is under way; why there is nothing, and a way to try again. */
export function LoadedView<T>({
  loaded: { data, failure, reload },
  children,
}: {
  loaded: Loaded<T>;
  children: (data: T) => ReactNode;
}) {
  return (
    <>
      {failure !== null && (
        <div className="row">
          <FailureNote text={failure} />
          <Button onClick={() => void reload()}>Try again</Button>
        </div>
      )}
      {data === null && failure === null && (
        <p className="muted" role="status">
          Loading…
        </p>
      )}
      {data !== null && children(data)}
    </>
  );
}
