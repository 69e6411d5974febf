// The conversations of apps: made, looked at, ended.
import { randomUUID } from 'node:crypto';

import { isoTime } from '#shared/clock.ts';
import type { Clock } from '#shared/clock.ts';
import type { DatabaseWriter } from '#shared/database-writer.ts';
import { AppError, requestError } from '#shared/errors.ts';
import type { SessionRequest, SessionView } from '#shared/gateway-session-api.ts';
import type { NewId } from '#shared/ids.ts';

import type { AppAccess } from '../access/app-lookup.ts';
import type { AuditLog } from '../audit/audit-log.ts';
import { admitConversation } from '../runs/admission.ts';
import type { AdmissionLimits, AdmittedSession } from '../runs/admission.ts';
import type { WorkspaceGrants } from '../workspaces/workspace-grants.ts';
import { createWorkspaceLocks } from '../workspaces/workspace-locks.ts';
import type { WorkspaceLocks } from '../workspaces/workspace-locks.ts';
import { WorkspaceUnusableError } from '../workspaces/workspace.ts';
import type { SessionStore, StoredSession } from './session-store.ts';

export type SessionRegistry = {
  /** Throws AppError: `invalid_request`, or `app_busy` when the app has as many as it may. */
  create: (app: AppAccess, request: SessionRequest, address: string) => Promise<SessionView>;
  /** Throws `not_found` for one that has ended, never was, or is another app's. */
  open: (app: AppAccess, sessionId: string) => AdmittedSession;
  view: (appId: number, sessionId: string) => Promise<SessionView>;
  list: (
    appId: number,
    page: { after?: string | undefined; limit: number },
  ) => Promise<{ items: SessionView[]; next: string | null }>;
  /** Its runs are cancelled, its process and its directory go. */
  end: (appId: number, sessionId: string, address: string) => Promise<void>;
  /** All of an app that was revoked. */
  endAllOf: (appId: number) => Promise<void>;
  /** Those that nobody has used for long. */
  endIdle: (limit: number) => Promise<number>;
};

export type SessionRegistryParts = {
  store: SessionStore;
  writer: DatabaseWriter;
  audit: AuditLog;
  appName: (appId: number) => string | null;
  limits: AdmissionLimits & { sessionIdleMs: number; sessionsPerApp: number };
  isLive: (sessionSeq: number) => boolean;
  /** Resolves when the last turn of a session is written down: an app that has its answer is not shown the state before it. */
  noted: (sessionSeq: number) => Promise<void>;
  /** After the commit. */
  onEnded: (session: StoredSession) => void;
  grants: Pick<WorkspaceGrants, 'find' | 'named'>;
  newId: NewId;
  clock: Clock;
};

export function createSessionRegistry(parts: SessionRegistryParts): SessionRegistry {
  const { store, writer, audit, limits, grants, clock } = parts;
  const writers = createWorkspaceLocks();
  for (const session of store.inWorkspaces()) holdAgain(session, grants, writers);
  const now = (): string => isoTime(clock.now());

  const known = (appId: number, sessionId: string): StoredSession => {
    const session = store.find(appId, sessionId);
    if (session !== null) return session;
    throw requestError('not_found', 'there is no such session: it has ended or was never there');
  };
  const endOne = async (
    session: StoredSession,
    reason: string,
    address: string | null,
  ): Promise<boolean> => {
    const isEnded = await writer.write(() => {
      if (!store.end(session.sessionSeq, now())) return false;
      const details = { session_id: session.sessionId, turns: session.turns, reason };
      audit.append({
        action: 'session.ended',
        app: parts.appName(session.appId),
        address,
        details,
      });
      return true;
    });
    if (isEnded) {
      writers.release(session.sessionId);
      parts.onEnded(session);
    }
    return isEnded;
  };
  const viewOf = (session: StoredSession): SessionView => ({
    session_id: session.sessionId,
    model: session.model,
    workspace: session.workspace,
    system: session.system,
    json_schema: session.jsonSchema === null ? null : JSON.parse(session.jsonSchema),
    metadata: JSON.parse(session.metadata),
    turns: session.turns,
    is_live: parts.isLive(session.sessionSeq),
    created_at: session.createdAt,
    last_used_at: session.lastUsedAt,
    expires_at: isoTime(Date.parse(session.lastUsedAt) + limits.sessionIdleMs),
  });

  return {
    async create(app, request, address) {
      const settings = admitConversation(request, app, limits);
      const { jsonSchema } = settings;
      const { workspace: name } = request;
      const workspace = name === undefined ? null : grants.find(app, name);
      const sessionId = parts.newId('sess');
      if (workspace !== null) writers.acquire(workspace, sessionId);
      const create = (): void => {
        const count = store.count(app.appId);
        if (count >= limits.sessionsPerApp) throw tooMany(app.name, count);
        store.insert({
          ...settings,
          ...{ sessionId, appId: app.appId, conversationId: randomUUID() },
          workspace: workspace?.name ?? null,
          jsonSchema: jsonSchema === null ? null : JSON.stringify(jsonSchema),
          metadata: JSON.stringify(request.metadata ?? {}),
          createdAt: now(),
        });
        const details = {
          ...{ session_id: sessionId, model: settings.model, workspace: name ?? null },
        };
        audit.append({ action: 'session.created', app: app.name, address, details });
      };
      await writer.write(create).catch((err: unknown) => {
        writers.release(sessionId);
        throw err;
      });
      return viewOf(known(app.appId, sessionId));
    },
    open(app, sessionId) {
      const { sessionSeq, model, system, jsonSchema, workspace } = known(app.appId, sessionId);
      // It may have been taken away from the app since.
      if (workspace !== null) grants.find(app, workspace);
      const schema = jsonSchema === null ? null : JSON.parse(jsonSchema);
      return { sessionSeq, sessionId, model, system, jsonSchema: schema, workspace };
    },
    async view(appId, sessionId) {
      await parts.noted(known(appId, sessionId).sessionSeq);
      return viewOf(known(appId, sessionId));
    },
    async list(appId, { after, limit }) {
      // Behind the oldest for one that is not there any more.
      const before =
        after === undefined ? Number.MAX_SAFE_INTEGER : (store.find(appId, after)?.sessionSeq ?? 0);
      const read = (): StoredSession[] => store.list(appId, before, limit + 1);
      await Promise.all(read().map(({ sessionSeq }) => parts.noted(sessionSeq)));
      const found = read();
      const items = found.slice(0, limit).map(viewOf);
      return { items, next: found.length > limit ? (items.at(-1)?.session_id ?? null) : null };
    },
    async end(appId, sessionId, address) {
      await endOne(known(appId, sessionId), 'deleted', address);
    },
    async endAllOf(appId) {
      for (const session of store.openOf(appId)) await endOne(session, 'app revoked', null);
    },
    async endIdle(limit) {
      const since = isoTime(clock.now() - limits.sessionIdleMs);
      const idle = store.idleSince(since, limit);
      for (const session of idle) await endOne(session, 'idle', null);
      return idle.length;
    },
  };
}

/** What it held before the gateway was started again. One whose workspace is gone holds nothing. */
function holdAgain(
  { sessionId, workspace }: StoredSession,
  { named }: Pick<WorkspaceGrants, 'named'>,
  writers: WorkspaceLocks,
): void {
  try {
    if (workspace !== null) writers.acquire(named(workspace), sessionId);
  } catch (err) {
    // Two that read side by side, when the operator has let them write since: the first goes on writing.
    if (!(err instanceof WorkspaceUnusableError) && !(err instanceof AppError)) throw err;
  }
}

function tooMany(appName: string, count: number) {
  const message = `${appName} has ${count} sessions, which is the limit of an app: end some`;
  return requestError('app_busy', message, { retryAfterSecs: 60 });
}
