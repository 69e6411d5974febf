// The wiring: everything opened in the order in which it stands on each other, each thing adopted for its release.
import { join } from 'node:path';

import type { Clock } from '#shared/clock.ts';
import { createDatabaseWriter } from '#shared/database-writer.ts';
import { createGatewayClient } from '#shared/gateway-client.ts';
import type { HttpApp } from '#shared/http-server.ts';
import { newId } from '#shared/ids.ts';
import { acquireInstanceLock } from '#shared/instance-lock.ts';
import type { Log } from '#shared/log.ts';
import { openDirectory } from '#shared/open-directory.ts';
import { readProjectVersion } from '#shared/project-version.ts';
import { createVaultClient } from '#shared/vault-client.ts';

import { createAgentRoster } from './agent-roster.ts';
import { readAgentsFile } from './agents-file.ts';
import { createAnsweringLine } from './answering/answering-line.ts';
import { createMessageAnswering } from './answering/message-answering.ts';
import type { Checkpoint } from './checkpoint.ts';
import type { WatcherConfig, WatcherSecrets } from './config.ts';
import { openWatcherDatabase } from './database/watcher-database.ts';
import { createHealthServer } from './health-server.ts';
import type { WatcherHealth } from './health-server.ts';
import { createInboxWriting } from './inbox/inbox-writing.ts';
import { createEventIntake } from './intake/event-intake.ts';
import { createJournalStore } from './journal/journal-store.ts';
import { createJournal } from './journal/journal.ts';
import type { Journal } from './journal/journal.ts';
import { keepReporting } from './reports/reporting.ts';

export type Watcher = { health: () => WatcherHealth; healthApp: HttpApp; journal: Journal };

export type WatcherSurroundings = { clock: Clock; log: Log; checkpoint: Checkpoint };

const doneKeptMs = 7 * 86_400_000;
const pruneApartMs = 3_600_000;

/** Begins to answer at once; its health does not listen yet. Throws StartError for what the operator has to mend. */
export async function openWatcher(
  config: WatcherConfig,
  secrets: WatcherSecrets,
  { clock, log, checkpoint }: WatcherSurroundings,
  opened: AsyncDisposableStack,
): Promise<Watcher> {
  const { dataDir, hostName } = config;
  const settings = readAgentsFile(config.agentsFile);
  await openDirectory(dataDir, 'WATCHER_DATA_DIR');
  opened.adopt(acquireInstanceLock(join(dataDir, 'watcher.lock')), (lock) => lock.release());
  const db = openWatcherDatabase(join(dataDir, 'watcher.db'));
  opened.defer(() => void db.close());
  const writer = createDatabaseWriter(db, clock);
  opened.defer(() => writer.close());
  const store = createJournalStore(db);

  const vault = createVaultClient({ url: config.vaultUrl, token: () => secrets.vaultKey });
  const gateway = createGatewayClient({
    url: config.gatewayUrl,
    token: secrets.gatewayToken,
    clock,
  });
  opened.defer(() => gateway.close());
  const roster = createAgentRoster(vault, settings, log);
  const findAgent = roster.find;
  const journal = createJournal({ store, writer, findAgent, checkpoint, clock });
  const answering = createMessageAnswering({
    ...{ vault, gateway, journal, checkpoint, clock, log },
    watcherId: store.watcherId(() => newId('watcher')),
    leaseSecs: config.leaseSecs,
    attemptsMax: config.attemptsMax,
  });
  const line = createAnsweringLine({ journal, answering, findAgent, clock, log });
  const inbox = createInboxWriting({ journal, findAgent, clock, log });
  const intake = createEventIntake({
    ...{ vault, journal, roster, clock, log, random: Math.random },
    ...{ isPushed: config.isPushed, pollMs: config.pollMs, firstStart: config.firstStart },
    onTaken({ messages, inboxItems, cancelled }) {
      for (const eventId of cancelled) line.cancel(eventId);
      if (messages.length > 0) line.wake();
      if (inboxItems.length > 0) inbox.wake();
    },
  });
  const version = await readProjectVersion();
  const stop = new AbortController();
  const prune = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      await journal
        .prune(doneKeptMs)
        .catch((err: unknown) => log.error({ err }, 'the journal cannot be pruned'));
      await clock.sleep(pruneApartMs, stop.signal).catch(() => {});
    }
  };
  const reports = {
    ...{ vault, gateway, journal, roster, line, intake },
    hostName,
    dataDir,
    version,
    clock,
    log,
  };
  const loops = [
    intake.run(stop.signal),
    line.run(stop.signal),
    inbox.run(stop.signal),
    keepReporting(reports, stop.signal),
    prune(),
  ];
  opened.defer(async () => {
    stop.abort();
    await Promise.all(loops);
  });
  const health = (): WatcherHealth => {
    const { open, dead } = journal.counts();
    return {
      vault: intake.state(),
      open_messages: open,
      dead_letters: dead,
      agents: roster.all().length,
    };
  };
  const healthApp = createHealthServer(health, log);
  opened.defer(() => healthApp.close());
  return { health, healthApp, journal };
}
