// How long the runs of each app take lately, for telling others how long it may be.
export type RunDurations = {
  sawDuration: (appId: number, ms: number) => void;
  typicalMs: (appId: number) => number;
};

const assumedMs = 5000;
const weightOfTheNewest = 1 / 8;

/** @param known of earlier starts of the gateway. */
export function createRunDurations(
  known: readonly { appId: number; durationMs: number }[],
): RunDurations {
  const typical = new Map(known.map(({ appId, durationMs }) => [appId, durationMs]));
  return {
    sawDuration(appId, ms) {
      const before = typical.get(appId);
      typical.set(appId, before === undefined ? ms : before + (ms - before) * weightOfTheNewest);
    },
    typicalMs: (appId) => typical.get(appId) ?? assumedMs,
  };
}
