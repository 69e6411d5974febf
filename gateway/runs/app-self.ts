// What an app may know of itself: its limits, what it used, what waits, what went wrong lately.
import { isoTime } from '#shared/clock.ts';
import type { Clock } from '#shared/clock.ts';
import type { AppSelf } from '#shared/gateway-app-api.ts';

import type { AppAccess } from '../access/app-lookup.ts';
import { allowsModel } from '../access/model-pattern.ts';
import type { FileShelf } from '../files/file-shelf.ts';
import { viewLimits } from '../limits/limit-view.ts';
import type { StartGate } from '../limits/start-gate.ts';
import { shareOf } from '../queue/run-queue.ts';
import type { RunQueue } from '../queue/run-queue.ts';
import type { WorkspaceGrants } from '../workspaces/workspace-grants.ts';
import type { RunStore, RunUsageRow } from './run-store.ts';

export type AppSelfParts = {
  store: RunStore;
  queue: Pick<RunQueue, 'countsOf'>;
  gate: Pick<StartGate, 'parking' | 'windows'>;
  shelf: Pick<FileShelf, 'usage'>;
  workspaces: Pick<WorkspaceGrants, 'grantedTo'>;
  limits: {
    models: { default: string; allowed: readonly string[] };
    concurrency: number;
    queueLimit: number;
    appQueueLimit: number | null;
    timeoutMaxMs: number;
    filesQuotaBytes: number;
  };
  version: string;
  clock: Clock;
};

const dayMs = 24 * 60 * 60_000;
const errorsShown = 5;

const usageKnownForMs = 1000;

export type UsageMemory = (appId: number) => AppSelf['usage_24h'];

/** Adding up a day of runs costs much more than asking for it. */
export function createUsageMemory({ store, clock }: AppSelfParts): UsageMemory {
  const known = new Map<number, { at: number; usage: AppSelf['usage_24h'] }>();
  return (appId) => {
    const now = clock.monotonicMs();
    const before = known.get(appId);
    if (before !== undefined && now - before.at < usageKnownForMs) return before.usage;
    const usage = usageOf(store.usage(appId, isoTime(clock.now() - dayMs)));
    known.set(appId, { at: now, usage });
    return usage;
  };
}

export function describeApp(
  app: AppAccess,
  known: { usageOf: UsageMemory; tokenExpiresAt: string | null },
  { store, queue, gate, shelf, limits, workspaces, version }: AppSelfParts,
): AppSelf {
  const { files, bytes } = shelf.usage(app.appId);
  return {
    name: app.name,
    token_expires_at: known.tokenExpiresAt,
    limits: {
      ...limitsOf(app, limits),
      workspaces: workspaces.grantedTo(app).map(({ name, mode }) => ({ name, mode })),
    },
    queue: queue.countsOf(app.appId),
    subscription: viewLimits(gate),
    usage_24h: known.usageOf(app.appId),
    files: { count: files, bytes },
    gateway_version: version,
    last_errors: store
      .lastFailures(app.appId, errorsShown)
      .map(({ runId, outcome, message, endedAt }) => ({
        run_id: runId,
        code: outcome ?? '',
        message,
        at: endedAt ?? '',
      })),
  };
}

function limitsOf(
  app: AppAccess,
  limits: AppSelfParts['limits'],
): Omit<AppSelf['limits'], 'workspaces'> {
  const { models, concurrency, queueLimit, appQueueLimit, timeoutMaxMs } = limits;
  const own = app.models?.filter((model) => allowsModel(models.allowed, model));
  return {
    models: [...(own ?? models.allowed)],
    default_model: models.default,
    max_concurrent: Math.min(app.maxConcurrent ?? concurrency, concurrency),
    max_queued: app.maxQueued ?? appQueueLimit ?? shareOf(queueLimit),
    timeout_secs_max: Math.min(app.timeoutSecsMax ?? Number.POSITIVE_INFINITY, timeoutMaxMs / 1000),
    files_quota_bytes: limits.filesQuotaBytes,
  };
}

function usageOf(rows: readonly RunUsageRow[]): AppSelf['usage_24h'] {
  const sum = (of: (row: RunUsageRow) => number): number =>
    rows.reduce((total, row) => total + of(row), 0);
  return {
    runs: sum(({ runs }) => runs),
    by_outcome: Object.fromEntries(rows.map(({ outcome, runs }) => [outcome, runs])),
    input_tokens: sum(({ inputTokens }) => inputTokens),
    output_tokens: sum(({ outputTokens }) => outputTokens),
    cost_usd: sum(({ costMicroUsd }) => costMicroUsd) / 1e6,
  };
}
