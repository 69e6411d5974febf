// How the gateway is, part by part. Nothing here starts a run or spends a token.
import { access, constants } from 'node:fs/promises';

import { isoTime } from '#shared/clock.ts';
import type { Database } from '#shared/database.ts';
import type { HealthSummary } from '#shared/gateway-health-api.ts';
import { makeDirectory } from '#shared/make-directory.ts';

import type { ClaudeLookup } from './claude/claude-installation.ts';
import type { WalWatch } from './database/wal-watch.ts';
import type { StartGate } from './limits/start-gate.ts';
import type { RunQueue } from './queue/run-queue.ts';
import type { StartRoom } from './queue/start-room.ts';
import type { SignInBreaker } from './runs/sign-in-breaker.ts';
import type { SandboxTier } from './sandbox/sandbox-tier.ts';

export type Health = {
  summary: () => Promise<HealthSummary>;
  parts: () => Promise<HealthPart[]>;
};

export type HealthPart = { name: string; ok: boolean; message: string };

/** A line in which nobody has got a turn for so long does not move. A long line that moves is no fault. */
const standstillMsMax = 10 * 60_000;

export type HealthSources = {
  db: Database;
  walWatch: WalWatch;
  claude: ClaudeLookup;
  breaker: SignInBreaker;
  queue: RunQueue;
  room: Pick<StartRoom, 'missing'>;
  gate: Pick<StartGate, 'closedBy'>;
  sandbox: SandboxTier;
  hasDiskSpace: () => Promise<boolean>;
  runsDir: string;
  isDraining: () => boolean;
};

export function createHealth(sources: HealthSources): Health {
  const { breaker, sandbox, claude } = sources;
  const selectOne = sources.db.prepare('select 1 from runs limit 1');
  const version = (): Promise<string | null> =>
    claude.current().then(
      (installation) => installation.version,
      () => null,
    );
  return {
    async summary() {
      const claudeVersion = await version();
      const signedIn = breaker.signedIn();
      return {
        ok: claudeVersion !== null && signedIn !== false,
        claude_present: claudeVersion !== null,
        claude_version: claudeVersion,
        authenticated: signedIn ?? 'unknown',
        sandbox,
      };
    },
    async parts() {
      const [claudeVersion, hasSpace, canRun] = await Promise.all([
        version(),
        sources.hasDiskSpace().catch(() => false),
        isWritableDirectory(sources.runsDir),
      ]);
      const isOpen = !sources.isDraining();
      return [
        part('door', isOpen, isOpen ? 'open' : 'the gateway is stopping'),
        databasePart(() => selectOne.get(), sources.walWatch),
        part('disk', hasSpace, hasSpace ? 'enough room' : 'nearly full'),
        part('runs', canRun, canRun ? 'has a directory' : 'RUNS_DIR cannot be written'),
        part('claude', claudeVersion !== null, claudeVersion ?? 'not found or not working'),
        credentialPart(breaker.signedIn()),
        part('sandbox', true, sandbox),
        queuePart(sources),
        roomPart(sources),
      ];
    },
  };
}

async function isWritableDirectory(path: string): Promise<boolean> {
  return makeDirectory(path, 0o700)
    .then(() => access(path, constants.W_OK | constants.X_OK))
    .then(
      () => true,
      () => false,
    );
}

/** A large write-ahead log costs disk and time, and requests are answered all the same. */
function databasePart(ask: () => void, walWatch: WalWatch): HealthPart {
  try {
    ask();
    const largeBytes = walWatch.largeBytes();
    const megabytes = Math.round((largeBytes ?? 0) / 2 ** 20);
    const message =
      largeBytes === null
        ? 'answers'
        : `answers; its write-ahead log has ${megabytes} MB, since something has been reading it for long`;
    return part('database', true, message);
  } catch {
    return part('database', false, 'does not answer');
  }
}

function credentialPart(signedIn: boolean | null): HealthPart {
  if (signedIn === false) return part('credential', false, 'the last run was not signed in');
  return part('credential', true, signedIn === null ? 'not tried yet' : 'accepted');
}

function queuePart({ queue, gate }: HealthSources): HealthPart {
  const parking = gate.closedBy();
  const { running, waiting, oldestWaitingMs, idleMs } = queue.counts();
  const waitedMs = oldestWaitingMs ?? 0;
  const oldest = waiting === 0 ? '' : `, the oldest for ${Math.round(waitedMs / 1000)} s`;
  const message = `${running} running, ${waiting} waiting${oldest}`;
  if (parking !== null) {
    const until = isoTime(parking.until);
    return part('queue', true, `${message}; parked until ${until} by the subscription's limit`);
  }
  return part('queue', Math.min(waitedMs, idleMs) < standstillMsMax, message);
}

/** Too little room is no fault while nobody needs it. */
function roomPart({ queue, room }: HealthSources): HealthPart {
  const missing = room.missing();
  if (missing === null) return part('room', true, 'enough for another run');
  return queue.couldStart()
    ? part('room', false, `runs wait: ${missing}`)
    : part('room', true, `not enough for another run: ${missing}`);
}

function part(name: string, ok: boolean, message: string): HealthPart {
  return { name, ok, message };
}
