// The wiring: everything opened in the order in which it stands on each other, each thing adopted for its release.
import { createHttpServer } from '#shared/http-server.ts';
import type { HttpApp, HttpServer } from '#shared/http-server.ts';
import { newId } from '#shared/ids.ts';

import { openAdminToken } from './access/admin-token.ts';
import type { AdminToken } from './access/admin-token.ts';
import { createAppLookup } from './access/app-lookup.ts';
import type { AppLookup } from './access/app-lookup.ts';
import { createAppRegistry } from './access/app-registry.ts';
import { installDoor } from './access/door.ts';
import type { Door } from './access/door.ts';
import { createLastUse } from './access/last-use.ts';
import { termsNotice } from './claude/terms-notice.ts';
import type { GatewayConfig, GatewaySecrets } from './config.ts';
import { sweepFiles } from './files/file-sweep.ts';
import { createHealth } from './health.ts';
import { keepHouse } from './housekeeping.ts';
import { adminAuditRoutes } from './routes/admin-audit-routes.ts';
import { adminTokenRoutes } from './routes/admin-token-routes.ts';
import { fileRoutes } from './routes/file-routes.ts';
import { healthRoutes } from './routes/health-routes.ts';
import { runRoutes } from './routes/run-routes.ts';
import { openRunEngine } from './run-engine.ts';
import type { RunEngine } from './run-engine.ts';
import { recoverRuns } from './runs/run-recovery.ts';
import { openStorage } from './storage.ts';
import type { Storage } from './storage.ts';
import type { Surroundings } from './surroundings.ts';

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
  const storage = await openStorage(config, surroundings, opened);
  const recovery = await recoverRuns({
    runsDir: config.runsDir,
    store: storage.runs,
    records: storage.records,
    clock,
  });
  if (recovery.interruptedRuns > 0) log.warn(recovery, 'runs were cut off by the last stop');
  const engine = await openRunEngine(config, secrets, storage, surroundings);

  const http = createHttpServer({
    log,
    errorEnvelope: { ok: false },
    bodyLimitBytes: ordinaryBodyBytes,
    requestTimeoutMs: config.limits.requestTimeoutMs,
    newId,
    exemptFromDraining: isPublic,
  });
  opened.defer(() => http.app.close());
  const adminToken = openAdminToken(secrets.adminBootstrapToken, config.dataDir);
  const lookup = createAppLookup(storage.apps, clock);
  const door = openDoor(http.app, config, { adminToken, lookup }, storage, surroundings);
  await addRoutes(http, { door, lookup }, config, engine, storage, surroundings);
  startHousekeeping(config, storage, surroundings, opened);
  opened.defer(async () => {
    http.startDraining();
    await engine.runs.drain(config.runs.shutdownGraceMs);
  });
  const notice = termsNotice(engine.credential.source, storage.apps.countApps());
  return { app: http.app, engine, adminToken, notice };
}

function openDoor(
  app: HttpApp,
  config: GatewayConfig,
  { adminToken, lookup }: { adminToken: AdminToken; lookup: AppLookup },
  storage: Storage,
  { clock, log }: Surroundings,
): Door {
  return installDoor(app, {
    ...config.door,
    listenHost: config.listen.host,
    apps: lookup,
    lastUse: createLastUse({ store: storage.apps, writer: storage.writer, clock, log }),
    adminToken,
    clock,
    log,
  });
}

async function addRoutes(
  http: HttpServer,
  { door, lookup }: { door: Door; lookup: AppLookup },
  config: GatewayConfig,
  engine: RunEngine,
  { db, apps, writer, audit, shelf }: Storage,
  { clock }: Surroundings,
): Promise<void> {
  const registry = createAppRegistry({
    store: apps,
    lookup,
    writer,
    audit,
    clock,
    limits: { allowedModels: config.models.allowed, timeoutMaxMs: config.runs.timeoutMaxMs },
  });
  const { runsDir } = config;
  const { tier } = engine.sandbox.sandbox;
  const health = createHealth({
    db,
    ...engine,
    sandbox: tier,
    runsDir,
    isDraining: () => http.isDraining(),
  });
  const { app } = http;
  await app.register(healthRoutes, { health });
  await app.register(runRoutes, { runs: engine.runs, door, bodyLimitBytes: runBodyBytes(config) });
  const { uploadBytes } = config.limits;
  await app.register(fileRoutes, { ...engine, shelf, door, uploadBytes, clock });
  await app.register(adminTokenRoutes, { registry, door });
  await app.register(adminAuditRoutes, { audit });
}

/** Every character beyond ASCII may be written as `\\uXXXX`, which makes it up to three times as long. */
function runBodyBytes({ limits }: GatewayConfig): number {
  return 3 * (limits.promptBytes + limits.systemBytes) + ordinaryBodyBytes;
}

function startHousekeeping(
  config: GatewayConfig,
  storage: Storage,
  { clock, log }: Surroundings,
  opened: AsyncDisposableStack,
): void {
  const stop = new AbortController();
  const { retentionMs } = config.audit;
  const kept = keepHouse({ ...storage, auditRetentionMs: retentionMs, clock, log }, stop.signal);
  const swept = sweepFiles({ ...storage, clock, log }, stop.signal);
  opened.defer(async () => {
    stop.abort();
    await Promise.all([kept, swept]);
  });
}

function isPublic(routeConfig: unknown): boolean {
  return (
    typeof routeConfig === 'object' &&
    routeConfig !== null &&
    'guard' in routeConfig &&
    routeConfig.guard === 'public'
  );
}
