// How many runs are under way, in all and of each app.
export type RunSlots = {
  isFreeFor: (appId: number) => boolean;
  take: (appId: number) => void;
  giveBack: (appId: number) => void;
  taken: () => number;
  takenBy: (appId: number) => number;
};

/** @param capOf how many runs an app may have at one time; null for no limit of its own. Asked each time: it may change. */
export function createRunSlots(
  concurrency: number,
  capOf: (appId: number) => number | null,
): RunSlots {
  const takenByApp = new Map<number, number>();
  let taken = 0;
  const takenBy = (appId: number): number => takenByApp.get(appId) ?? 0;

  return {
    isFreeFor: (appId) =>
      taken < concurrency && takenBy(appId) < (capOf(appId) ?? Number.POSITIVE_INFINITY),
    take(appId) {
      taken += 1;
      takenByApp.set(appId, takenBy(appId) + 1);
    },
    giveBack(appId) {
      taken -= 1;
      const left = takenBy(appId) - 1;
      if (left > 0) takenByApp.set(appId, left);
      else takenByApp.delete(appId);
    },
    taken: () => taken,
    takenBy,
  };
}
