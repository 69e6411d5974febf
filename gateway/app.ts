// The wiring: everything opened in the order in which it stands on each other, each thing adopted for its release.
import { apiDocumentRoutes } from '#shared/api-document/api-document-routes.ts';
import { docsRoutes } from '#shared/api-document/docs-routes.ts';
import { shutdownEvent } from '#shared/gateway-event-api.ts';
import type { ShutdownNotice } from '#shared/gateway-event-api.ts';
import { createHttpServer } from '#shared/http-server.ts';
import type { HttpApp, HttpServer } from '#shared/http-server.ts';
import { newId } from '#shared/ids.ts';
import { readProjectVersion } from '#shared/project-version.ts';

import { openAdminToken } from './access/admin-token.ts';
import type { AdminToken } from './access/admin-token.ts';
import { createAppLookup } from './access/app-lookup.ts';
import type { AppLookup } from './access/app-lookup.ts';
import { createAppRegistry } from './access/app-registry.ts';
import { installDoor } from './access/door.ts';
import type { Door } from './access/door.ts';
import { createLastUse } from './access/last-use.ts';
import { createGatewayDocument } from './api-document/gateway-document.ts';
import { termsNotice } from './claude/terms-notice.ts';
import type { GatewayConfig, GatewaySecrets } from './config.ts';
import { sweepFiles } from './files/file-sweep.ts';
import { createHealth } from './health.ts';
import { keepHouse } from './housekeeping.ts';
import { createGatewayMetrics } from './metrics/gateway-metrics.ts';
import type { GatewayMetrics } from './metrics/gateway-metrics.ts';
import { adminAuditRoutes } from './routes/admin-audit-routes.ts';
import { adminLimitRoutes } from './routes/admin-limit-routes.ts';
import { adminRunRoutes } from './routes/admin-run-routes.ts';
import { adminTokenRoutes } from './routes/admin-token-routes.ts';
import { appSelfRoutes } from './routes/app-self-routes.ts';
import { fileRoutes } from './routes/file-routes.ts';
import { healthRoutes } from './routes/health-routes.ts';
import { metricsRoutes } from './routes/metrics-routes.ts';
import { createRunEventStreams } from './routes/run-event-streams.ts';
import { runQueryRoutes } from './routes/run-query-routes.ts';
import { runRoutes } from './routes/run-routes.ts';
import { sessionRoutes } from './routes/session-routes.ts';
import { uploadRoutes } from './routes/upload-routes.ts';
import { openRunEngine } from './run-engine.ts';
import type { RunEngine } from './run-engine.ts';
import { logEndedRun } from './run-log.ts';
import { createRunCancel } from './runs/run-cancel.ts';
import { recoverRuns } from './runs/run-recovery.ts';
import type { EndedRunFacts } from './runs/run-settlement.ts';
import { openStorage } from './storage.ts';
import type { Storage } from './storage.ts';
import type { Surroundings } from './surroundings.ts';
import { readWorkspaces } from './workspaces/workspace-file.ts';
import type { WorkspaceGrants } from './workspaces/workspace-grants.ts';
import { groundOf } from './workspaces/workspace-ground.ts';
import type { Workspace } from './workspaces/workspace.ts';

export type Gateway = {
  app: HttpApp;
  engine: RunEngine;
  adminToken: AdminToken;
  /** What the operator has to be told about the terms of use, as things are at the start. */
  notice: string | null;
};

const ordinaryBodyBytes = 2 ** 20;

/** Does not listen yet. Throws StartError for what the operator has to mend. */
export async function openGateway(
  config: GatewayConfig,
  secrets: GatewaySecrets,
  surroundings: Surroundings,
  opened: AsyncDisposableStack,
): Promise<Gateway> {
  const { clock, log } = surroundings;
  const workspaces = workspacesOf(config, surroundings);
  const storage = await openStorage(config, surroundings, opened);
  const lookup = createAppLookup(storage.apps, clock);
  const metrics = createGatewayMetrics();
  const onEnded = (facts: EndedRunFacts): void => {
    logEndedRun(log, facts);
    metrics.runEnded(facts);
  };
  const onPrepared = metrics.tookPrepared;
  const engine = await openRunEngine({
    ...{ config, secrets, storage, surroundings, lookup, workspaces, onEnded, onPrepared },
  });
  const { grants } = engine;
  await recover(config, storage, engine, surroundings, onEnded);

  const http = createHttpServer({
    log,
    errorEnvelope: { ok: false },
    bodyLimitBytes: ordinaryBodyBytes,
    requestTimeoutMs: config.limits.requestTimeoutMs,
    newId,
    observe: metrics.http.observe,
    exemptFromDraining: answersWhileDraining,
  });
  opened.defer(() => http.app.close());
  opened.defer(() => engine.feed.endAll());
  const adminToken = openAdminToken(secrets.adminBootstrapToken, config.dataDir);
  metrics.watch({ ...engine, db: storage.db });
  const door = openDoor(http.app, config, { adminToken, lookup, metrics }, storage, surroundings);
  await addRoutes(http, { door, lookup, metrics, grants }, config, engine, storage, surroundings);
  startLoops(config, http.app, storage, engine, surroundings, opened);
  opened.defer(async () => {
    http.startDraining();
    engine.feed.startStopping(stopNotice);
    const cleared = engine.prepared.close();
    await Promise.all([cleared, engine.runs.drain(config.runs.shutdownGraceMs)]);
    await engine.sessions.close();
  });
  const notice = termsNotice(engine.credential.source, storage.apps.countApps());
  return { app: http.app, engine, adminToken, notice };
}

const shutdownNotice: ShutdownNotice = {
  message: 'the gateway is stopping: come back',
  retry_after_secs: 5,
};
const stopNotice = { type: shutdownEvent, data: JSON.stringify(shutdownNotice) };

function workspacesOf(config: GatewayConfig, { projectDir, isRoot }: Surroundings): Workspace[] {
  const ground = groundOf({ ...config, projectDir });
  return readWorkspaces({ file: config.workspacesFile, isRoot, ground });
}

/** What an earlier start left: processes and directories go, runs wait again or are closed. */
async function recover(
  { runsDir }: GatewayConfig,
  { runs: store, sessions }: Storage,
  { records, runs }: RunEngine,
  { clock, log }: Surroundings,
  onEnded: (facts: EndedRunFacts) => void,
): Promise<void> {
  const recovery = await recoverRuns({
    ...{ runsDir, store, records, onEnded, clock },
    alsoMarked: sessions.openIds(),
  });
  runs.restore(recovery.waiting);
  const { waiting, closedRuns, endedProcesses, removedDirectories, survivors } = recovery;
  const facts = {
    ...{ waiting_runs: waiting.length, closed_runs: closedRuns, survivors },
    ...{ ended_processes: endedProcesses, removed_directories: removedDirectories },
  };
  if (closedRuns > 0) log.warn(facts, 'runs were cut off by the last stop');
  else if (waiting.length > 0) log.info(facts, 'runs wait since the last stop');
}

function openDoor(
  app: HttpApp,
  config: GatewayConfig,
  {
    adminToken,
    lookup,
    metrics,
  }: { adminToken: AdminToken; lookup: AppLookup; metrics: GatewayMetrics },
  storage: Storage,
  { clock, log }: Surroundings,
): Door {
  return installDoor(app, {
    ...config.door,
    listenHost: config.listen.host,
    apps: lookup,
    lastUse: createLastUse({ store: storage.apps, writer: storage.writer, clock, log }),
    adminToken,
    onRefused: metrics.http.refused,
    clock,
    log,
  });
}

const forAnybody = { guard: 'public' } as const;

async function addRoutes(
  http: HttpServer,
  {
    door,
    lookup,
    metrics,
    grants,
  }: { door: Door; lookup: AppLookup; metrics: GatewayMetrics; grants: WorkspaceGrants },
  config: GatewayConfig,
  engine: RunEngine,
  { db, walWatch, apps, writer, audit, shelf, events, keys, runs: store }: Storage,
  { clock }: Surroundings,
): Promise<void> {
  const { runs, records, inquiry, feed, queue, gate, sessions } = engine;
  const registry = createAppRegistry({
    store: apps,
    lookup,
    writer,
    audit,
    clock,
    limits: {
      allowedModels: config.models.allowed,
      timeoutMaxMs: config.runs.timeoutMaxMs,
      workspaces: grants.names,
    },
    onChanged: () => runs.lookAgain(),
    onRevoked: (appId) => {
      runs.stopWaitingOf(appId);
      void sessions.registry.endAllOf(appId);
    },
  });
  const { runsDir } = config;
  const { tier } = engine.sandbox.sandbox;
  const health = createHealth({
    db,
    walWatch,
    ...engine,
    sandbox: tier,
    runsDir,
    isDraining: () => http.isDraining(),
  });
  const { app } = http;
  const document = createGatewayDocument(app);
  await app.register(apiDocumentRoutes, { document, config: forAnybody });
  await app.register(docsRoutes, { config: forAnybody });
  await app.register(healthRoutes, { health });
  const streams = createRunEventStreams(feed, door);
  const bodyLimitBytes = runBodyBytes(config);
  await app.register(runRoutes, { runs, inquiry, keys, streams, door, bodyLimitBytes });
  await app.register(sessionRoutes, { sessions: sessions.registry, door, bodyLimitBytes });
  const cancel = createRunCancel(records, runs);
  await app.register(runQueryRoutes, { inquiry, cancel, events, streams, door });
  await app.register(adminRunRoutes, { inquiry, cancel, door });
  await app.register(adminLimitRoutes, { gate });
  const limits = { ...config.runs, ...config.limits, models: config.models };
  const version = await readProjectVersion();
  const self = { store, queue, gate, shelf, limits, workspaces: grants, version, door, clock };
  await app.register(appSelfRoutes, self);
  const { uploadBytes } = config.limits;
  await app.register(fileRoutes, { shelf, door });
  await app.register(uploadRoutes, { ...engine, shelf, keys, door, uploadBytes, clock });
  await app.register(adminTokenRoutes, { registry, keys, door });
  await app.register(adminAuditRoutes, { audit });
  await app.register(metricsRoutes, { metrics });
}

/** Every character beyond ASCII may be written as `\\uXXXX`, which makes it up to three times as long. */
function runBodyBytes({ limits }: GatewayConfig): number {
  return 3 * (limits.promptBytes + limits.systemBytes) + ordinaryBodyBytes;
}

function startLoops(
  config: GatewayConfig,
  app: HttpApp,
  storage: Storage,
  { runs, prepared, feed, sessions }: RunEngine,
  { clock, log }: Surroundings,
  opened: AsyncDisposableStack,
): void {
  const stop = new AbortController();
  const { retentionMs } = config.audit;
  const loops = [
    keepHouse({ ...storage, auditRetentionMs: retentionMs, clock, log }, stop.signal),
    sweepFiles({ ...storage, clock, log }, stop.signal),
    feed.run(stop.signal),
    runs.run(stop.signal),
    sessions.run(stop.signal),
  ];
  // Nobody has to wait for the address until processes are started that nobody has asked for yet.
  app.addHook('onListen', (done) => {
    loops.push(prepared.run(stop.signal));
    done();
  });
  opened.defer(async () => {
    stop.abort();
    await Promise.all(loops);
  });
}

/** Who looks at the gateway wants to see how it stops. */
function answersWhileDraining(routeConfig: unknown): boolean {
  return (
    typeof routeConfig === 'object' &&
    routeConfig !== null &&
    'guard' in routeConfig &&
    (routeConfig.guard === 'public' || routeConfig.guard === 'metrics')
  );
}
