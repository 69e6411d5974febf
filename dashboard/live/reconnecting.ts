// When a stream is given up, and when it is tried again.

/** A browser that knows to be offline need not wait until a connection falls silent. */
export async function whileOnline(
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  if (!navigator.onLine) return;
  const lost = new AbortController();
  const onOffline = (): void => lost.abort();
  addEventListener('offline', onOffline);
  try {
    await work(AbortSignal.any([signal, lost.signal]));
  } finally {
    removeEventListener('offline', onOffline);
  }
}

/** Over early when the network comes back, or somebody looks. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  const onVisible = (): void => {
    if (document.visibilityState === 'visible') resolve();
  };
  addEventListener('online', () => resolve(), { once: true });
  document.addEventListener('visibilitychange', onVisible);
  signal.addEventListener('abort', () => resolve(), { once: true });
  await promise;
  clearTimeout(timer);
  document.removeEventListener('visibilitychange', onVisible);
}
