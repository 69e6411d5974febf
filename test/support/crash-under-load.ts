import type { Answer } from './gateway-client.ts';
import { readRows } from './gateway-facts.ts';
import type { RunRow } from './gateway-facts.ts';
import type { GatewayProcess } from './gateway-process.ts';
import { processesOfRuns } from './leak-check.ts';
import { mixedLoad, send, toldBy, tokenOf } from './mixed-load.ts';
import type { LoadApps, LoadRequest } from './mixed-load.ts';
import { commandLineOf } from './process-facts.ts';
// A gateway that dies under a mixed load, and what was seen of it until then.
import { readToEnd } from './stream-reading.ts';
import type { StreamRead } from './stream-reading.ts';

export type Crash = {
  requests: LoadRequest[];
  /** Null for who got none. */
  answers: (Answer | null)[];
  /** Ids that an app was told. */
  told: string[];
  /** What somebody saw who watched a run of app `two`. */
  watched: StreamRead & { runId: string };
  /** As they were when the gateway was dead. */
  runs: readonly RunRow[];
  /** Where no secret may be. */
  texts: Record<string, string>;
};

/** Throws when the gateway survives the load. */
export async function crashUnderLoad(
  gateway: GatewayProcess,
  apps: LoadApps,
  load: {
    /** Lines for every prompt. */
    directive: string;
    /** Makes the texts and keys its own. */
    label: string;
    /** Kills a gateway that does not do so itself. */
    kill?: () => Promise<void>;
  },
): Promise<Crash> {
  const requests = mixedLoad(apps, load.directive, load.label);
  const sent = requests.map((request) => send(gateway, apps, request));
  const watching = watch(gateway, apps, sent[requests.findIndex(({ app }) => app === 'two')]);
  await load.kill?.();
  const answers = await Promise.all(sent);
  const survived = untilAllEnded(gateway, apps).then(() => gateway.fetch('/livez'));
  const isAlive = await survived.then(
    () => true,
    () => false,
  );
  if (isAlive) throw new Error(`the gateway survived ${load.label}`);
  await gateway.exited;
  const { runs } = readRows(gateway.dataDir);
  const alive = processesOfRuns(new Set(runs.map(({ runId }) => runId)));
  return {
    ...{ requests, answers, runs, watched: await watching },
    told: answers.flatMap((answer) => toldBy(answer)),
    texts: {
      'the log': gateway.stdout() + gateway.stderr(),
      'an answer': answers.map((answer) => answer?.text).join('\n'),
      'a command line': alive.map(commandLineOf).join('\n'),
    },
  };
}

async function watch(
  gateway: GatewayProcess,
  apps: LoadApps,
  accepted: Promise<Answer | null> | undefined,
): Promise<Crash['watched']> {
  const [runId = ''] = toldBy(await accepted);
  return { runId, ...(await readRunEvents(gateway, apps.two.token, runId)) };
}

export function readRunEvents(
  gateway: GatewayProcess,
  token: string,
  runId: string,
  after = 0,
): Promise<StreamRead> {
  const authorization = `Bearer ${token}`;
  const headers = { authorization, ...(after === 0 ? {} : { 'last-event-id': String(after) }) };
  return readToEnd(`${gateway.url}/runs/${runId}/events`, { headers });
}

/** Asks the gateway for every run that it knows. */
export async function untilAllEnded(
  gateway: GatewayProcess,
  apps: LoadApps,
  // oxlint-disable-next-line typescript/no-explicit-any -- a test looks at what came, whatever it is
): Promise<Map<string, any>> {
  const { runs } = readRows(gateway.dataDir);
  const views = runs.map(async ({ runId, appId }) => {
    const headers = { authorization: `Bearer ${tokenOf(apps, appId)}` };
    const { body } = await gateway.fetch(`/runs/${runId}?wait=30`, { headers });
    return [runId, body] as const;
  });
  return new Map(await Promise.all(views));
}
