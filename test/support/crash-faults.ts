// What an app and an operator may expect of the gateway that takes over from one that was killed. Faults in words.
import type { Crash } from './crash-under-load.ts';
import { readRunEvents, untilAllEnded } from './crash-under-load.ts';
import type { ExecutionLog } from './execution-log.ts';
import { gatherFacts, readRows } from './gateway-facts.ts';
import type { RunRow } from './gateway-facts.ts';
import type { GatewayProcess } from './gateway-process.ts';
import { violationsOf } from './invariants.ts';
import { send } from './mixed-load.ts';
import type { LoadApps } from './mixed-load.ts';

export type CrashedWorld = {
  apps: LoadApps;
  log: ExecutionLog;
  concurrency: number;
  /** By name. */
  secrets: Readonly<Record<string, string>>;
  /** Ids that an app was told before. */
  told: readonly string[];
};

/** Empty when all is well. */
export async function faultsAfter(
  gateway: GatewayProcess,
  world: CrashedWorld,
  crash: Crash,
): Promise<string[]> {
  const faults = [
    ...(await faultsOfFates(gateway, world, crash)),
    ...(await faultsOfWatching(gateway, world, crash)),
    ...(await faultsOfKeys(gateway, world, crash)),
  ];
  await untilAllEnded(gateway, world.apps);
  const facts = await gatherFacts({
    ...world,
    dataDir: gateway.dataDir,
    executions: world.log.executions(),
    told: [...world.told, ...crash.told],
    texts: { ...crash.texts, 'the log after': gateway.stdout() + gateway.stderr() },
  });
  return [...faults, ...violationsOf(facts)];
}

/** What becomes of a run that was left in this state. */
export function fateOf({ state, outcome, isDetached, onInterrupt }: RunRow): string | null {
  if (state === 'ended') return outcome;
  const isAgain = onInterrupt === 'retry';
  if (state === 'running') return isAgain ? 'completed' : 'interrupted';
  return isAgain || isDetached === 1 ? 'completed' : 'interrupted';
}

async function faultsOfFates(
  gateway: GatewayProcess,
  { apps }: CrashedWorld,
  { runs }: Crash,
): Promise<string[]> {
  const views = await untilAllEnded(gateway, apps);
  return runs.flatMap((run) => {
    const { status, outcome, result, error, metadata } = views.get(run.runId);
    const fate = fateOf(run);
    const isAsSaid = outcome !== 'completed' || result === metadata.says;
    if (status === 'ended' && outcome === fate && isAsSaid) return [];
    return [
      `${run.runId} (${metadata.says}) was ${run.state}: ${outcome} ${result ?? error?.message}, not ${fate}`,
    ];
  });
}

/** Who asks again with the same key gets the first answer, and nothing is done twice. */
async function faultsOfKeys(
  gateway: GatewayProcess,
  { apps }: CrashedWorld,
  { requests, answers }: Crash,
): Promise<string[]> {
  const before = readRows(gateway.dataDir);
  const known = new Set(before.keys.map(({ key }) => key));
  const faults: string[] = [];
  for (const [index, request] of requests.entries()) {
    if (request.key === null) continue;
    const first = answers[index] ?? (await send(gateway, apps, request));
    const again = await send(gateway, apps, request);
    const isSame = again?.text === first?.text && again?.status === first?.status;
    const isReplayed = again?.headers.get('idempotent-replayed') === 'true';
    if (!isSame || !isReplayed) faults.push(`${request.key}: ${first?.text}, then ${again?.text}`);
  }
  const unknown = requests.filter(({ key }) => key !== null && !known.has(key));
  const made = readRows(gateway.dataDir).runs.length - before.runs.length;
  if (made !== unknown.length) faults.push(`${made} runs for ${unknown.length} new keys`);
  return faults;
}

/** Who comes back to a stream misses nothing and gets nothing twice. */
async function faultsOfWatching(
  gateway: GatewayProcess,
  { apps }: CrashedWorld,
  { watched }: Crash,
): Promise<string[]> {
  if (watched.runId === '') return [];
  const after = watched.events.at(-1)?.id ?? 0;
  const rest = await readRunEvents(gateway, apps.two.token, watched.runId, after);
  const events = [...watched.events, ...rest.events];
  const isNumbered = events.every(({ id }, index) => id === index + 1);
  const isWhole = events.at(-1)?.type === 'run.completed' && rest.isWhole;
  return isNumbered && isWhole ? [] : [`the stream was ${JSON.stringify(events)}`];
}
