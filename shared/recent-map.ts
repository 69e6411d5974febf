/** A map of bounded size that forgets what was used least recently. */
export type RecentMap<Value> = {
  /** Counts as a use. */
  get(key: string): Value | undefined;
  set(key: string, value: Value): void;
  delete(key: string): void;
  size(): number;
};

export function createRecentMap<Value>(maxEntries: number): RecentMap<Value> {
  // In order of the last use.
  const entries = new Map<string, Value>();

  function put(key: string, value: Value): void {
    entries.delete(key);
    entries.set(key, value);
  }

  return {
    get: (key) => {
      const value = entries.get(key);
      if (value !== undefined) put(key, value);
      return value;
    },
    set: (key, value) => {
      put(key, value);
      if (entries.size <= maxEntries) return;
      for (const oldest of entries.keys()) {
        entries.delete(oldest);
        return;
      }
    },
    delete: (key) => void entries.delete(key),
    size: () => entries.size,
  };
}
