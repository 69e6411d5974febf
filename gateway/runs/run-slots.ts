// How many runs are under way, in all and of each app.
export type SlotEntry = {
  appId: number;
  /** Runs of this app at one time; null for no limit of its own. */
  maxConcurrent: number | null;
};

export type RunSlots = {
  isFreeFor: (entry: SlotEntry) => boolean;
  take: (entry: SlotEntry) => void;
  giveBack: (entry: SlotEntry) => void;
  taken: () => number;
};

export function createRunSlots(concurrency: number): RunSlots {
  const takenByApp = new Map<number, number>();
  let taken = 0;
  const takenBy = (appId: number): number => takenByApp.get(appId) ?? 0;

  return {
    isFreeFor: ({ appId, maxConcurrent }) =>
      taken < concurrency && takenBy(appId) < (maxConcurrent ?? Number.POSITIVE_INFINITY),
    take({ appId }) {
      taken += 1;
      takenByApp.set(appId, takenBy(appId) + 1);
    },
    giveBack({ appId }) {
      taken -= 1;
      const left = takenBy(appId) - 1;
      if (left > 0) takenByApp.set(appId, left);
      else takenByApp.delete(appId);
    },
    taken: () => taken,
  };
}
