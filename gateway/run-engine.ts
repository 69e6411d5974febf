// Everything that runs claude: the sandbox that works here, the installation, the credential, the queue, the turns and their events.
import { join } from 'node:path';

import { createDiskCheck } from '#shared/disk-space.ts';
import { StartError } from '#shared/errors.ts';
import type { EventFeed } from '#shared/event-feed.ts';
import { newId } from '#shared/ids.ts';

import type { AppLookup } from './access/app-lookup.ts';
import { findCredential } from './claude/claude-credential.ts';
import type { ClaudeCredential } from './claude/claude-credential.ts';
import { createClaudeLookup } from './claude/claude-installation.ts';
import type { ClaudeLookup } from './claude/claude-installation.ts';
import { readClaudeVersion } from './claude/claude-version.ts';
import { createLoginDirectory } from './claude/login-directory.ts';
import type { LoginDirectory } from './claude/login-directory.ts';
import type { GatewayConfig, GatewaySecrets } from './config.ts';
import { createRunEventFeed } from './events/run-event-feed.ts';
import type { Parking } from './limits/limit-gate.ts';
import { createStartGate } from './limits/start-gate.ts';
import type { StartGate } from './limits/start-gate.ts';
import { createRunDurations } from './queue/run-durations.ts';
import { createRunQueue } from './queue/run-queue.ts';
import type { RunQueue } from './queue/run-queue.ts';
import { createStartRoom } from './queue/start-room.ts';
import type { StartRoom } from './queue/start-room.ts';
import { createPreparedRuns } from './runs/prepared-runs.ts';
import type { PreparedRuns, TakeResult } from './runs/prepared-runs.ts';
import { createRunEndings } from './runs/run-endings.ts';
import { createRunInquiry } from './runs/run-inquiry.ts';
import type { RunInquiry } from './runs/run-inquiry.ts';
import { createRunRecords } from './runs/run-record.ts';
import type { RunRecords } from './runs/run-record.ts';
import { clearSeat, startSeat } from './runs/run-seat.ts';
import { createRunService } from './runs/run-service.ts';
import type { RunService } from './runs/run-service.ts';
import type { EndedRunFacts } from './runs/run-settlement.ts';
import { createRunWorker, seatOptionsOf } from './runs/run-worker.ts';
import { createSignInBreaker } from './runs/sign-in-breaker.ts';
import type { SignInBreaker } from './runs/sign-in-breaker.ts';
import { probeSandbox } from './sandbox/sandbox-probe.ts';
import type { ProbedSandbox } from './sandbox/sandbox-probe.ts';
import type { SandboxTier } from './sandbox/sandbox-tier.ts';
import { openSessions } from './sessions/session-keeping.ts';
import type { SessionKeeping } from './sessions/session-keeping.ts';
import type { Storage } from './storage.ts';
import type { Surroundings } from './surroundings.ts';
import { createWorkspaceGrants } from './workspaces/workspace-grants.ts';
import type { WorkspaceGrants } from './workspaces/workspace-grants.ts';
import type { Workspace } from './workspaces/workspace.ts';

export type RunEngine = {
  runs: RunService;
  records: RunRecords;
  inquiry: RunInquiry;
  feed: EventFeed;
  queue: RunQueue;
  room: StartRoom;
  sessions: SessionKeeping;
  grants: WorkspaceGrants;
  prepared: PreparedRuns;
  breaker: SignInBreaker;
  gate: StartGate;
  claude: ClaudeLookup;
  credential: ClaudeCredential;
  sandbox: ProbedSandbox;
  hasDiskSpace: () => Promise<boolean>;
};

export type RunEngineParts = {
  config: GatewayConfig;
  secrets: GatewaySecrets;
  storage: Storage;
  surroundings: Surroundings;
  lookup: AppLookup;
  /** Those that the operator has named. */
  workspaces: readonly Workspace[];
  onEnded: (facts: EndedRunFacts) => void;
  /** Whether a run found a process that was started ahead. */
  onPrepared: (result: TakeResult) => void;
};

/** Throws StartError when SANDBOX=require cannot be had. */
export async function openRunEngine(parts: RunEngineParts): Promise<RunEngine> {
  const { config, secrets, surroundings } = parts;
  const { clock } = surroundings;
  const { dataDir, runsDir, limits } = config;
  const probed = await probeSandbox(config.sandbox, { ...surroundings, runsDir });
  requireSandbox(config, probed);
  const { sandbox } = probed;
  const claude = createClaudeLookup({
    bin: config.claude.bin,
    ...surroundings,
    readVersion: (program) => readClaudeVersion(program, { sandbox, runsDir, clock }),
  });
  const credential = await findCredential(secrets, config.claude);
  const login = loginFor(credential, dataDir, probed, surroundings);
  const breaker = createSignInBreaker(clock, config.runs.authRetryMs);
  const enoughDisk = createDiskCheck([dataDir, runsDir], limits.diskReserveBytes, clock);
  const grants = createWorkspaceGrants(parts.workspaces, sandbox.tier);
  warnOfWorkspaces(parts, sandbox.tier);
  const found = { claude, credential, login, breaker, sandbox, grants, hasDiskSpace: enoughDisk };
  return { ...found, ...openRuns(parts, found), sandbox: probed };
}

function warnOfWorkspaces({ workspaces, surroundings }: RunEngineParts, tier: SandboxTier): void {
  if (workspaces.length === 0 || tier !== 'none') return;
  surroundings.log.warn('workspaces cannot be used: nothing would confine a run to one');
}

type Found = Pick<RunEngine, 'claude' | 'credential' | 'breaker' | 'grants' | 'hasDiskSpace'> & {
  login: LoginDirectory | null;
  sandbox: ProbedSandbox['sandbox'];
};

type OpenedRuns = Pick<
  RunEngine,
  'runs' | 'records' | 'inquiry' | 'feed' | 'queue' | 'room' | 'gate' | 'prepared' | 'sessions'
>;

function openRuns(parts: RunEngineParts, found: Found): OpenedRuns {
  const { config, storage, surroundings, lookup, onEnded } = parts;
  const { clock, log, checkpoint, freeMemoryBytes } = surroundings;
  const { runsDir, dataDir, limits } = config;
  const { breaker } = found;
  const store = storage.runs;
  const monotonicMs = (): number => clock.monotonicMs();
  const feed = createRunEventFeed(storage.events, clock, log);
  const endings = createRunEndings();
  const durations = createRunDurations(store.typicalDurations());
  const room = createStartRoom({
    ...{ ...limits, paths: [dataDir, runsDir], freeMemoryBytes, monotonicMs },
    preparedRuns: () => prepared.idleCount(),
  });
  const gate = createStartGate({
    ...{ store: storage.limits, credential: found.credential.source, writer: storage.writer },
    ...{ onParked: () => runs.refuseImpatient(), clock, log },
  });
  const queue = createRunQueue({
    ...config.runs,
    capOf: (appId) => lookup.maxConcurrentOf(appId),
    hasRoom: () => gate.mayStart() && hasRoom(room, sessions),
    isOpen: gate.isOpen,
    parked: () => leftOf(gate.closedBy(), clock.now()),
    ...{ durations, monotonicMs },
  });
  const records = createRunRecords({
    ...{ ...storage, store, prompts: config.audit.prompts, checkpoint, clock },
    announce: (runSeq) => feed.announce(runSeq),
  });
  const { baseUrl } = config.claude;
  const prepared = openPreparedRuns(parts, found, { queue, room, gate });
  const workerParts = {
    ...{ ...found, prepared, runsDir, limits, clock, log, baseUrl },
    deadlines: config.runs,
  };
  const worker = createRunWorker(workerParts);
  const admission = { ...config.runs, ...limits, models: config.models };
  const sessions = openSessions({
    ...{ ...storage, store: storage.sessions, dir: storage.sessionsDir, clock, newId, log },
    seats: seatOptionsOf(workerParts),
    appName: (appId) => storage.apps.readApp(appId)?.name ?? null,
    limits: { ...admission, ...config.sessions },
    grants: found.grants,
    stopRunsOf: (sessionSeq) => runs.stopSession(sessionSeq),
  });
  const runs = createRunService({
    ...{ store, records, worker, breaker, gate, endings, durations, queue, room, onEnded },
    ...{ shelf: storage.shelf, hasDiskSpace: found.hasDiskSpace, checkpoint, clock, newId, log },
    limits: admission,
    seatingOf: sessions.seats.seatingOf,
    workspaceNamed: found.grants.named,
    sessionOf: sessions.registry.open,
    keepsAllText: config.audit.prompts === 'full',
    signInMend: found.credential.mend,
    isWatched: (runSeq) => feed.isWatched(runSeq),
    onTurnOver: prepared.wake,
  });
  const sleep = (ms: number, signal: AbortSignal): Promise<void> => clock.sleep(ms, signal);
  const inquiry = createRunInquiry({ store, queue, endings, sleep });
  return { runs, records, inquiry, feed, queue, room, gate, prepared, sessions };
}

/** A process that is kept for a conversation is the first to go when memory is short. */
function hasRoom(room: StartRoom, { live }: Pick<SessionKeeping, 'live'>): boolean {
  if (room.missing() === null) return true;
  if (room.lacks().memory) live.shed();
  return false;
}

function leftOf(parking: Parking | null, now: number): { until: number; leftMs: number } | null {
  return parking === null ? null : { until: parking.until, leftMs: parking.until - now };
}

const plentyBytes = 4 * 2 ** 30;

function openPreparedRuns(
  { config, surroundings, onPrepared }: RunEngineParts,
  found: Found,
  { queue, room, gate }: { queue: RunQueue; room: StartRoom; gate: StartGate },
): PreparedRuns {
  const { clock, log, freeMemoryBytes } = surroundings;
  const { claude, login, breaker } = found;
  const { baseUrl } = config.claude;
  const seats = seatOptionsOf({ ...found, limits: config.limits, clock, baseUrl });
  const loginDir = login?.dir ?? null;
  const fittingSize = (freeMemoryBytes() ?? 0) < plentyBytes ? 1 : 2;
  return createPreparedRuns({
    size: config.prepared.size ?? fittingSize,
    idleMs: config.prepared.idleMs,
    concurrency: config.runs.concurrency,
    runsDir: config.runsDir,
    startSeat: (request) => startSeat(seats, { ...request, loginDir }),
    clearSeat,
    onTake: onPrepared,
    mayRunsStart: () => gate.isOpen() && !breaker.isOpen(),
    ...{ claude, login, queue, room, newId, clock, log },
  });
}

function requireSandbox(config: GatewayConfig, { sandbox, refused }: ProbedSandbox): void {
  if (config.sandbox !== 'require' || sandbox.tier !== 'none') return;
  const reasons = refused.map(({ tier, problem, mend }) => `  ${tier}: ${problem}. ${mend}`);
  throw new StartError(
    [
      'SANDBOX=require, but no sandbox works here:',
      ...reasons,
      '  SANDBOX=none runs without one.',
    ].join('\n'),
  );
}

function loginFor(
  credential: ClaudeCredential,
  dataDir: string,
  { sandbox }: ProbedSandbox,
  { clock }: Surroundings,
): LoginDirectory | null {
  if (credential.configDir === null) return null;
  return createLoginDirectory({
    configDir: credential.configDir,
    stagedDir: join(dataDir, 'login'),
    runUid: sandbox.runUid,
    clock,
  });
}
