// The wiring: everything opened in the order in which it stands on each other, each thing adopted for its release.
import { join } from 'node:path';

import { apiDocumentRoutes } from '#shared/api-document/api-document-routes.ts';
import { docsRoutes } from '#shared/api-document/docs-routes.ts';
import { createDiskCheck } from '#shared/disk-space.ts';
import { createEventFeed } from '#shared/event-feed.ts';
import type { EventFeed } from '#shared/event-feed.ts';
import { createHttpServer } from '#shared/http-server.ts';
import type { HttpApp } from '#shared/http-server.ts';
import { newId } from '#shared/ids.ts';
import { acquireInstanceLock } from '#shared/instance-lock.ts';
import { openDirectory } from '#shared/open-directory.ts';
import { stoppingNotice } from '#shared/vault-event-api.ts';

import { isForProbes } from './access/access.ts';
import { installVaultDoor } from './access/vault-door.ts';
import { createAgentRegistry } from './agents/agent-registry.ts';
import type { AgentRegistry } from './agents/agent-registry.ts';
import { createVaultDocument } from './api-document/vault-document.ts';
import { openAttachmentShelf } from './attachments/attachment-shelf.ts';
import type { AttachmentShelf } from './attachments/attachment-shelf.ts';
import { createAuditLog } from './audit/audit-log.ts';
import type { AuditLog } from './audit/audit-log.ts';
import type { VaultConfig, VaultSecrets } from './config.ts';
import { openVaultDatabase } from './database/vault-database.ts';
import type { VaultDatabase } from './database/vault-database.ts';
import { createClaims } from './feeds/claims.ts';
import type { Claims } from './feeds/claims.ts';
import { listEvents } from './feeds/event-store.ts';
import { eventView } from './feeds/event-view.ts';
import { agentsOfTopic, concerns } from './feeds/feed-topics.ts';
import { createFeed } from './feeds/feed.ts';
import { createLeaseDeadlines } from './feeds/lease-deadlines.ts';
import { createPosting } from './feeds/posting.ts';
import { createStreamNotices } from './feeds/stream-notices.ts';
import { createHealth } from './health.ts';
import { keepHouse } from './housekeeping.ts';
import { createAccessTokens } from './identity/access-token.ts';
import type { AccessTokens } from './identity/access-token.ts';
import { createIdentities } from './identity/identities.ts';
import { openSigningKey, signingKeyDir } from './identity/signing-key.ts';
import { createPeople } from './people.ts';
import type { People } from './people.ts';
import { realm } from './realm.ts';
import { agentRoutes } from './routes/agent-routes.ts';
import { attachmentRoutes } from './routes/attachment-routes.ts';
import { auditRoutes } from './routes/audit-routes.ts';
import { eventRoutes } from './routes/event-routes.ts';
import { exportRoutes } from './routes/export-routes.ts';
import { healthRoutes } from './routes/health-routes.ts';
import { hostRoutes } from './routes/host-routes.ts';
import { createMutations } from './routes/mutation.ts';
import { pageUrl } from './routes/page-origin.ts';
import { pageRoutes } from './routes/page-routes.ts';
import { peopleRoutes } from './routes/people-routes.ts';
import { streamRoutes } from './routes/stream-routes.ts';
import type { Surroundings } from './surroundings.ts';

export { realm };

export type Vault = {
  app: HttpApp;
  databaseKind: VaultDatabase['kind'];
  database: VaultDatabase;
  audit: AuditLog;
  accessTokens: AccessTokens;
  /** To be called after users, keys or sign-ins were changed past the routes. */
  identitiesChanged: () => Promise<void>;
  people: People;
  /** The link by which the first admin is made; null when there are users. */
  offerSetup: (baseUrl: string) => Promise<string | null>;
};

const ordinaryBodyBytes = 2 ** 20;
const eventsPerRead = 50;
const diskReserveBytes = 256 * 2 ** 20;
/** A commit whose answer was lost may still come to pass, without anybody to announce it. */
const lookAgainMs = 5000;

/** Does not listen yet. Throws StartError for what the operator has to mend. */
export async function openVault(
  config: VaultConfig,
  secrets: VaultSecrets,
  surroundings: Surroundings,
  opened: AsyncDisposableStack,
): Promise<Vault> {
  const { clock, log } = surroundings;
  await openDirectory(config.dataDir, 'VAULT_DATA_DIR');
  opened.adopt(acquireInstanceLock(join(config.dataDir, 'vault.lock')), (lock) => lock.release());
  const database = await openVaultDatabase({
    ...{ databaseUrl: secrets.databaseUrl, dataDir: config.dataDir, clock, log },
    onCommitted: (agentIds) => {
      for (const topic of streams.topics()) {
        if (concerns(topic, agentIds)) streams.announce(topic);
      }
    },
  });
  opened.defer(() => database.close());
  const streams = openStreams(database, surroundings);

  const audit = createAuditLog(realm, clock);
  const keysDir = join(config.dataDir, signingKeyDir);
  await openDirectory(keysDir, 'VAULT_DATA_DIR');
  const accessTokens = createAccessTokens({
    key: await openSigningKey(keysDir),
    ...{ issuer: 'gatehouse-vault', clock },
  });
  const identities = createIdentities({
    ...{
      database,
      accessTokens,
      isProduction: config.isProduction,
      userRate: config.rate,
      clock,
      log,
    },
  });
  const feed = createFeed({ realm, newId, clock });
  const claims = createClaims({
    ...{ realm, database, feed, deadlines: createLeaseDeadlines(clock), clock, log },
  });
  await claims.restore();

  const http = createHttpServer({
    log,
    errorEnvelope: { success: false },
    bodyLimitBytes: ordinaryBodyBytes,
    requestTimeoutMs: config.requestTimeoutMs,
    newId,
    exemptFromDraining: isForProbes,
    explain: database.explain,
  });
  const { app } = http;
  opened.defer(() => app.close());
  opened.defer(() => streams.endAll());
  const door = installVaultDoor(app, {
    ...{ ...config.door, listenHost: config.listen.host, identities, clock, log },
  });
  const document = createVaultDocument(app);
  const mutations = createMutations({ realm, database, audit, door, clock });
  const agents = createAgentRegistry({ realm, feed, newId, clock });
  const attachments = await openAttachmentShelf({
    ...{ realm, dir: join(config.dataDir, 'attachments'), limits: config.attachments },
    ...{ database, newId, clock, log },
  });
  const people = createPeople({
    ...{ realm, database, audit, accessTokens, rate: config.rate, clock },
  });
  const { take: takeAttachments, bind: bindAttachments } = attachments;
  const posting = createPosting({ realm, feed, claims, takeAttachments, bindAttachments });
  const health = createHealth({ database, isDraining: () => http.isDraining(), clock });
  const common = { realm, database, agents, claims, posting, feed, audit, mutations, door, clock };
  const notices = createStreamNotices();
  const open = { prefix: '/api', config: { access: 'public', isUncounted: true } } as const;
  await app.register(apiDocumentRoutes, { ...open, document });
  await app.register(docsRoutes, open);
  await app.register(
    async (api) => {
      await api.register(healthRoutes, { health });
      await api.register(agentRoutes, { ...common, notices });
      await api.register(eventRoutes, common);
      await api.register(streamRoutes, { ...common, streams, notices });
      await api.register(attachmentRoutes, {
        ...{ ...common, attachments, fileBytesMax: config.attachments.bytesMax },
        hasDiskSpace: createDiskCheck([config.dataDir], diskReserveBytes, clock),
      });
      await api.register(exportRoutes, common);
      await api.register(hostRoutes, common);
      await api.register(auditRoutes, common);
      const { publicUrl } = config;
      const { trustedProxies } = config.door;
      const forPeople = { ...common, notices, people, identities, publicUrl, trustedProxies, log };
      await api.register(peopleRoutes, forPeople);
    },
    { prefix: '/api/v1' },
  );
  await app.register(pageRoutes, {});
  startLoops(
    config,
    { database, agents, attachments, audit, claims, streams, people },
    surroundings,
    opened,
  );
  opened.defer(() => {
    http.startDraining();
    streams.startStopping(stopNotice);
  });
  return {
    app,
    databaseKind: database.kind,
    database,
    audit,
    accessTokens,
    identitiesChanged: identities.changed,
    people,
    async offerSetup(baseUrl) {
      const token = await people.offerSetup();
      return token === null ? null : pageUrl(baseUrl, 'setup', token);
    },
  };
}

const stopNotice = {
  type: stoppingNotice,
  data: JSON.stringify({ message: 'the vault is stopping: come back', retry_after_secs: 5 }),
};

function startLoops(
  { retention }: VaultConfig,
  parts: {
    database: VaultDatabase;
    agents: AgentRegistry;
    attachments: AttachmentShelf;
    audit: AuditLog;
    claims: Claims;
    streams: EventFeed<string>;
    people: People;
  },
  { clock, log }: Surroundings,
  opened: AsyncDisposableStack,
): void {
  const stop = new AbortController();
  const loops = [
    keepHouse(
      {
        ...{ ...parts, retention, clock, log },
        others: [parts.people.removeOld, parts.attachments.sweep],
      },
      stop.signal,
    ),
    parts.claims.run(stop.signal),
    parts.streams.run(stop.signal),
  ];
  opened.defer(async () => {
    stop.abort();
    await Promise.all(loops);
  });
}

function openStreams(database: VaultDatabase, { clock, log }: Surroundings): EventFeed<string> {
  return createEventFeed<string>({
    async read(topic, after) {
      const rows = await listEvents(database.reads, {
        ...{ realm, agentIds: agentsOfTopic(topic), sinceSeq: after },
        ...{ order: 'asc', limit: eventsPerRead },
      });
      return rows.map((row) => ({
        ...{ seq: row.seq, type: row.eventType, data: JSON.stringify(eventView(row)) },
      }));
    },
    isLast: () => false,
    asksEachTime: true,
    ...(database.kind === 'postgres' ? { lookAgainMs } : {}),
    onDropped: ({ topic }, reason) => log.warn({ topic, reason }, 'a reader was dropped'),
    onFailure: (err) => log.error({ err }, 'a feed could not be read'),
    clock,
  });
}
