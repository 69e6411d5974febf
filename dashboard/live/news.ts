// Loads a view once more when the stream says that there may be something new in it.
import { useEffect } from 'react';

import type { Loaded } from '../controls/action.ts';
import { useLive } from './live-context.ts';

/** A feed that is busy is no reason to load more often. */
const apartMs = 2000;
const soonMs = 100;

export function useNews(
  kind: 'peopleNews' | 'auditNews',
  { reload }: Pick<Loaded<unknown>, 'reload'>,
): void {
  const { state } = useLive().live;
  useEffect(() => {
    const newest = (): number => state.get()[kind];
    let seen = newest();
    let timer: ReturnType<typeof setTimeout> | null = null;
    const look = (): void => {
      timer = null;
      if (newest() === seen) return;
      seen = newest();
      void reload();
      timer = setTimeout(look, apartMs);
    };
    const unsubscribe = state.subscribe(() => {
      // What is told together is loaded together.
      if (newest() !== seen) timer ??= setTimeout(look, soonMs);
    });
    return () => {
      unsubscribe();
      if (timer !== null) clearTimeout(timer);
    };
  }, [state, kind, reload]);
}
