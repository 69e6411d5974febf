// Lets messages that were given up be tried again: `npm run watcher:replay`, or with the id of one of them. The watcher may be running.
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { isoTime, systemClock } from '#shared/clock.ts';
import { createDatabaseWriter } from '#shared/database-writer.ts';

import { variables } from '../watcher/config-variables.ts';
import { openWatcherDatabase } from '../watcher/database/watcher-database.ts';
import { createJournalStore } from '../watcher/journal/journal-store.ts';
import { replayDead } from '../watcher/journal/journal.ts';

const dataDir = resolve(process.env[variables.dataDir.name] || variables.dataDir.fallback);
const path = join(dataDir, 'watcher.db');
const [eventId = null] = process.argv.slice(2);

if (existsSync(path)) {
  const db = openWatcherDatabase(path);
  const writer = createDatabaseWriter(db, systemClock);
  const store = createJournalStore(db);
  for (const { eventId: id, error, updatedAt } of store.dead()) {
    process.stdout.write(`${id}  given up ${updatedAt}  ${error ?? ''}\n`);
  }
  const count = await writer.write(() => replayDead(store, eventId, isoTime(systemClock.now())));
  await writer.close();
  db.close();
  process.stdout.write(`${count} will be tried again\n`);
} else {
  process.stderr.write(
    `${path} is not there: set WATCHER_DATA_DIR to the directory of the watcher\n`,
  );
  process.exitCode = 1;
}
