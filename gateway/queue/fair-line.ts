// Who is next: apps take turns, and within an app who came first. An app that has fewer runs under way goes before one that has more.
export type WaitingRun = {
  runSeq: number;
  runId: string;
  appId: number;
  /** Its conversation, of which one run is under way at a time; null for a run on its own. */
  sessionSeq: number | null;
  /** What waiting costs in memory: the request of a run that does not outlive its client. */
  bytes: number;
  /** On the monotonic clock. */
  since: number;
};

export type StartRule = {
  app: (appId: number) => boolean;
  /** Of an app that may. */
  run: (run: WaitingRun) => boolean;
};

export type FairLine = {
  add: (run: WaitingRun) => void;
  /** Takes the next one out that may start; null when there is none. */
  next: (mayStart: StartRule, underWayOf: (appId: number) => number) => WaitingRun | null;
  /** An app had its turn without having waited. */
  tookTurn: (appId: number) => void;
  remove: (runId: string) => WaitingRun | null;
  /** Whether somebody waits who may start. */
  has: (mayStart: StartRule) => boolean;
  find: (runId: string) => WaitingRun | null;
  /** How many of each app would start before the nth of this app; the first is 1. */
  aheadOf: (appId: number, nth: number) => Map<number, number>;
  /** Which of its app a waiting run is; the first is 1. */
  nthOf: (run: WaitingRun) => number;
  all: () => Iterable<WaitingRun>;
  /** Of each app that waits: who is its first, and how many there are. */
  apps: () => Iterable<{ first: WaitingRun; count: number }>;
  countOf: (appId: number) => number;
  bytes: () => number;
  count: () => number;
};

type AppLine = { appId: number; runs: WaitingRun[]; turnedAt: number };

export function createFairLine(): FairLine {
  const lines = new Map<number, AppLine>();
  const appOf = new Map<string, number>();
  /** When each app had its last turn, also while it has nothing waiting. */
  const turns = new Map<number, number>();
  let turn = 0;
  let bytes = 0;

  const drop = (line: AppLine, index: number): WaitingRun | null => {
    const [run] = line.runs.splice(index, 1);
    if (run === undefined) return null;
    if (line.runs.length === 0) lines.delete(line.appId);
    appOf.delete(run.runId);
    bytes -= run.bytes;
    return run;
  };
  const takeTurn = (appId: number): void => {
    turn += 1;
    turns.set(appId, turn);
    const line = lines.get(appId);
    if (line !== undefined) line.turnedAt = turn;
  };
  const lineOf = (runId: string): AppLine | undefined => lines.get(appOf.get(runId) ?? Number.NaN);

  return {
    add(run) {
      const { appId } = run;
      const line = lines.get(appId) ?? { appId, runs: [], turnedAt: turns.get(appId) ?? 0 };
      lines.set(appId, line);
      // One that was put back is older than those that wait.
      const index = line.runs.findLastIndex(({ runSeq }) => runSeq < run.runSeq) + 1;
      line.runs.splice(index, 0, run);
      appOf.set(run.runId, appId);
      bytes += run.bytes;
    },
    next(mayStart, underWayOf) {
      let best: { line: AppLine; index: number } | null = null;
      for (const line of lines.values()) {
        if (best !== null && !comesBefore(line, best.line, underWayOf)) continue;
        const index = firstOf(line, mayStart);
        if (index !== -1) best = { line, index };
      }
      if (best === null) return null;
      takeTurn(best.line.appId);
      return drop(best.line, best.index);
    },
    tookTurn: takeTurn,
    remove(runId) {
      const line = lineOf(runId);
      return line === undefined
        ? null
        : drop(
            line,
            line.runs.findIndex((run) => run.runId === runId),
          );
    },
    has: (mayStart) => lines.values().some((line) => firstOf(line, mayStart) !== -1),
    find: (runId) => lineOf(runId)?.runs.find((run) => run.runId === runId) ?? null,
    nthOf: (run) => (lines.get(run.appId)?.runs.indexOf(run) ?? 0) + 1,
    aheadOf(appId, nth) {
      const own = lines.get(appId)?.turnedAt ?? turns.get(appId) ?? 0;
      const ahead = new Map([[appId, nth - 1]]);
      let isPast = false;
      for (const line of lines.values()) {
        if (line.appId === appId) {
          isPast = true;
          continue;
        }
        // Whoever had its turn longer ago has one more; of two that had none yet, whoever came first.
        const goesFirst = line.turnedAt < own || (line.turnedAt === own && !isPast);
        const rounds = goesFirst ? nth : nth - 1;
        ahead.set(line.appId, Math.min(line.runs.length, rounds));
      }
      return ahead;
    },
    *all() {
      for (const line of lines.values()) yield* line.runs;
    },
    *apps() {
      for (const { runs } of lines.values()) {
        const [first] = runs;
        if (first !== undefined) yield { first, count: runs.length };
      }
    },
    countOf: (appId) => lines.get(appId)?.runs.length ?? 0,
    bytes: () => bytes,
    count: () => appOf.size,
  };
}

/** Where in the line of an app the first one is that may start. */
function firstOf({ appId, runs }: AppLine, mayStart: StartRule): number {
  return mayStart.app(appId) ? runs.findIndex(mayStart.run) : -1;
}

function comesBefore(one: AppLine, other: AppLine, underWayOf: (appId: number) => number): boolean {
  const difference = underWayOf(one.appId) - underWayOf(other.appId);
  return difference === 0 ? one.turnedAt < other.turnedAt : difference < 0;
}
