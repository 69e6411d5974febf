// A gateway of nothing but its door and its admin routes, with a clock that stands still.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { createDatabaseWriter } from '#shared/database-writer.ts';
import type { DatabaseWriter } from '#shared/database-writer.ts';
import type { Database } from '#shared/database.ts';
import type { EntranceOptions } from '#shared/door/entrance.ts';
import { createHttpServer } from '#shared/http-server.ts';
import type { HttpApp } from '#shared/http-server.ts';
import { createLog } from '#shared/log.ts';
import type { Log } from '#shared/log.ts';

import { openAdminToken } from '../../gateway/access/admin-token.ts';
import { createAppLookup } from '../../gateway/access/app-lookup.ts';
import { createAppRegistry } from '../../gateway/access/app-registry.ts';
import { createAppStore } from '../../gateway/access/app-store.ts';
import { installDoor } from '../../gateway/access/door.ts';
import type { Door } from '../../gateway/access/door.ts';
import { createLastUse } from '../../gateway/access/last-use.ts';
import { createAuditLog } from '../../gateway/audit/audit-log.ts';
import { openGatewayDatabase } from '../../gateway/database/gateway-database.ts';
import { createIdempotencyKeys } from '../../gateway/idempotency/idempotency-keys.ts';
import { createIdempotencyStore } from '../../gateway/idempotency/idempotency-store.ts';
import { adminAuditRoutes } from '../../gateway/routes/admin-audit-routes.ts';
import { adminTokenRoutes } from '../../gateway/routes/admin-token-routes.ts';

export const adminToken = 'the-admin-token';

export type Answer = {
  status: number;
  headers: Record<string, unknown>;
  // oxlint-disable-next-line typescript/no-explicit-any -- a test looks into whatever came
  body: any;
  text: string;
};

export type Call = {
  method?: 'GET' | 'POST' | 'DELETE' | 'HEAD' | 'PUT' | 'PATCH' | 'OPTIONS';
  token?: string;
  body?: unknown;
  headers?: Record<string, string>;
  from?: string;
};

export type DoorWorld = AsyncDisposable & {
  app: HttpApp;
  db: Database;
  dir: string;
  lines: string[];
  time: { ms: number };
  statements: string[];
  call(url: string, call?: Call): Promise<Answer>;
  admin(url: string, call?: Call): Promise<Answer>;
  mint(fields?: Record<string, unknown>): Promise<string>;
  refusals(): { reason: string; address: string | null }[];
};

export type WorldOptions = Partial<EntranceOptions> & {
  wrapWriter?: (writer: DatabaseWriter) => DatabaseWriter;
};

export async function createDoorWorld(options: WorldOptions = {}): Promise<DoorWorld> {
  const dir = mkdtempSync(join(tmpdir(), 'door-'));
  const time = { ms: Date.parse('2026-01-01T00:00:00Z') };
  const lines: string[] = [];
  const statements: string[] = [];
  const log = createLog({
    level: 'trace',
    service: 'gateway',
    destination: { write: (line) => void lines.push(line) },
  });
  const db = openGatewayDatabase(join(dir, 'gateway.db'), (sql) => void statements.push(sql));
  const { app } = createHttpServer({
    log,
    errorEnvelope: { ok: false },
    bodyLimitBytes: 2 ** 20,
    requestTimeoutMs: 30_000,
    newId: (prefix) => `${prefix}_1`,
  });
  addRoutes(app, buildDoor(app, db, time, log, options));
  await app.ready();

  async function call(url: string, { method = 'GET', ...request }: Call = {}): Promise<Answer> {
    const response = await app.inject({
      url,
      method,
      remoteAddress: request.from ?? '127.0.0.1',
      headers: {
        ...(request.token === undefined ? {} : { authorization: `Bearer ${request.token}` }),
        ...(request.body === undefined ? {} : { 'content-type': 'application/json' }),
        ...request.headers,
      },
      ...(request.body === undefined ? {} : { payload: JSON.stringify(request.body) }),
    });
    const text = response.body;
    const body = text === '' ? null : JSON.parse(text);
    return { status: response.statusCode, headers: response.headers, body, text };
  }

  return {
    app,
    db,
    dir,
    lines,
    time,
    statements,
    call,
    admin: (url, request) => call(url, { token: adminToken, ...request }),
    mint: async (fields) => {
      const body = { name: 'app', ...fields };
      const answer = await call('/admin/tokens', { method: 'POST', token: adminToken, body });
      if (answer.status !== 201) throw new Error(answer.text);
      return answer.body.token;
    },
    refusals: () =>
      lines.map((line) => JSON.parse(line)).filter(({ msg }) => msg === 'door refused'),
    [Symbol.asyncDispose]: async () => {
      await app.close();
      db.close();
      rmSync(dir, { recursive: true });
    },
  };
}

type BuiltDoor = { door: Door; register: (app: HttpApp) => void };

function buildDoor(
  app: HttpApp,
  db: Database,
  time: { ms: number },
  log: Log,
  options: WorldOptions,
): BuiltDoor {
  const clock = {
    now: () => time.ms,
    monotonicMs: () => time.ms,
    sleep: () => new Promise<void>((resolve) => void setImmediate(resolve)),
  };
  const plainWriter = createDatabaseWriter(db, clock);
  const writer = options.wrapWriter?.(plainWriter) ?? plainWriter;
  const store = createAppStore(db);
  const audit = createAuditLog(db, clock);
  const limits = {
    allowedModels: ['sonnet', 'claude-*'],
    timeoutMaxMs: 3_600_000,
    workspaces: ['notes', 'site'],
  };
  const lookup = createAppLookup(store, clock);
  const registry = createAppRegistry({
    ...{ store, writer, audit, clock, limits, lookup },
    ...{ onChanged: () => {}, onRevoked: () => {} },
  });
  const door = installDoor(app, {
    listenHost: '127.0.0.1',
    allowCidrs: [],
    metricsCidrs: [],
    allowedHosts: [],
    trustedProxies: [],
    ...options,
    apps: lookup,
    lastUse: createLastUse({ store, writer, clock, log }),
    adminToken: openAdminToken(adminToken, '/nowhere'),
    onRefused: () => {},
    clock,
    log,
  });
  return {
    door,
    register: (target) => {
      const keys = createIdempotencyKeys(createIdempotencyStore(db), clock);
      target.register(adminTokenRoutes, { registry, keys, door });
      target.register(adminAuditRoutes, { audit });
    },
  };
}

function addRoutes(app: HttpApp, { door, register }: BuiltDoor): void {
  app.get('/open', { config: { guard: 'public' } }, (_request, reply) => {
    void reply.send({});
  });
  app.get('/whoami', { config: { guard: 'app' } }, (request, reply) => {
    void reply.send({ ...door.appOf(request), address: door.addressOf(request) });
  });
  app.post('/whoami', { config: { guard: 'app' } }, (_request, reply) => {
    void reply.send({});
  });
  app.get('/metrics', { config: { guard: 'metrics' } }, (_request, reply) => {
    void reply.send({});
  });
  register(app);
}
