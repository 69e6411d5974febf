// Something that one has asked for: under way, failed, done.
import { useCallback, useEffect, useRef, useState } from 'react';

import { failureText } from '../vault/failure-text.ts';

export type Action = {
  isBusy: boolean;
  failure: string | null;
  /** Resolves to whether it went well. */
  run: (work: () => Promise<unknown>) => Promise<boolean>;
};

export function useAction(): Action {
  const [isBusy, setBusy] = useState(false);
  const [failure, setFailure] = useState<string | null>(null);
  const run = useCallback(async (work: () => Promise<unknown>) => {
    setBusy(true);
    setFailure(null);
    try {
      await work();
      return true;
    } catch (err) {
      setFailure(failureText(err));
      return false;
    } finally {
      setBusy(false);
    }
  }, []);
  return { isBusy, failure, run };
}

export type Loaded<T> = { data: T | null; failure: string | null; reload: () => Promise<void> };

/** Loads when it is first shown, and whenever `load` is another one. */
export function useLoaded<T>(load: () => Promise<T>): Loaded<T> {
  const [data, setData] = useState<T | null>(null);
  const [failure, setFailure] = useState<string | null>(null);
  const latest = useRef(0);
  const reload = useCallback(async () => {
    latest.current += 1;
    const turn = latest.current;
    try {
      const found = await load();
      if (turn !== latest.current) return;
      setData(found);
      setFailure(null);
    } catch (err) {
      if (turn === latest.current) setFailure(failureText(err));
    }
  }, [load]);
  useEffect(() => {
    void reload();
    return () => {
      latest.current += 1;
    };
  }, [reload]);
  return { data, failure, reload };
}
