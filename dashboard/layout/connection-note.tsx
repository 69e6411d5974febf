import { useEffect, useState } from 'react';

import { useLive } from '../live/live-context.ts';
import { useStore } from '../vault/store.ts';

/** A stream that is opened again at once is not worth a word. */
const quietMs = 700;

export function ConnectionNote() {
  const { live } = useLive();
  const { connection } = useStore(live.state);
  const isOffline = connection === 'offline';
  const [isTold, setTold] = useState(false);
  useEffect(() => {
    if (!isOffline) {
      setTold(false);
      return undefined;
    }
    const timer = setTimeout(() => setTold(true), quietMs);
    return () => clearTimeout(timer);
  }, [isOffline]);
  return (
    <div role="status" className={isTold ? 'offline-note' : ''}>
      {isTold && 'Offline: the vault cannot be reached. What you write goes when it is back.'}
    </div>
  );
}
