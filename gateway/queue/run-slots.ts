// How many runs are under way, in all and of each app, and which conversations are in the middle of one.
export type Occupant = { appId: number; sessionSeq: number | null };

export type RunSlots = {
  isFreeFor: (appId: number) => boolean;
  /** Of a conversation: none of its runs is under way. */
  isSessionFree: (sessionSeq: number | null) => boolean;
  take: (run: Occupant) => void;
  giveBack: (run: Occupant) => void;
  taken: () => number;
  takenBy: (appId: number) => number;
};

/** @param capOf how many runs an app may have at one time; null for no limit of its own. Asked each time: it may change. */
export function createRunSlots(
  concurrency: number,
  capOf: (appId: number) => number | null,
): RunSlots {
  const takenByApp = new Map<number, number>();
  const busySessions = new Set<number>();
  let taken = 0;
  const takenBy = (appId: number): number => takenByApp.get(appId) ?? 0;

  return {
    isFreeFor: (appId) =>
      taken < concurrency && takenBy(appId) < (capOf(appId) ?? Number.POSITIVE_INFINITY),
    isSessionFree: (sessionSeq) => sessionSeq === null || !busySessions.has(sessionSeq),
    take({ appId, sessionSeq }) {
      taken += 1;
      takenByApp.set(appId, takenBy(appId) + 1);
      if (sessionSeq !== null) busySessions.add(sessionSeq);
    },
    giveBack({ appId, sessionSeq }) {
      taken -= 1;
      const left = takenBy(appId) - 1;
      if (left > 0) takenByApp.set(appId, left);
      else takenByApp.delete(appId);
      if (sessionSeq !== null) busySessions.delete(sessionSeq);
    },
    taken: () => taken,
    takenBy,
  };
}
