// The watcher's journal on disk: files that are none, and a clock that is set back.
import { mkdirSync, mkdtempDisposableSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { createDatabaseWriter } from '#shared/database-writer.ts';
import { openDatabase } from '#shared/database.ts';

import { passThrough } from '../../watcher/checkpoint.ts';
import { openWatcherDatabase } from '../../watcher/database/watcher-database.ts';
import { createJournalStore } from '../../watcher/journal/journal-store.ts';
import { createJournal } from '../../watcher/journal/journal.ts';
import { startNode } from '../support/child-script.ts';
import { createSteppingClock } from '../support/stepping-clock.ts';

const dayMs = 86_400_000;
const agent = { agentId: 'agent_a', name: 'Librarian', settings: {} };

function openJournal(path: string) {
  const clock = createSteppingClock();
  const db = openWatcherDatabase(path);
  const writer = createDatabaseWriter(db, clock);
  const parts = { store: createJournalStore(db), findAgent: () => agent };
  return {
    clock,
    journal: createJournal({ ...parts, writer, checkpoint: passThrough, clock }),
    async [Symbol.asyncDispose]() {
      await writer.close();
      db.close();
    },
  };
}

const message = {
  ...{ seq: 1, event_id: 'evt_1', agent_id: agent.agentId, event_type: 'user_message' },
  ...{ content: 'hello', metadata: { source: 'dashboard' }, reply_to: null, attachments: [] },
  author: { kind: 'user' as const, id: 'user_1', name: 'ada' },
  created_at: '2026-01-01T00:00:00.000Z',
};

test('a message that waits does not wait for a clock that was set back by a day', async () => {
  using directory = mkdtempDisposableSync(join(tmpdir(), 'gatehouse-journal-'));
  await using world = openJournal(join(directory.path, 'watcher.db'));
  const { clock, journal } = world;
  await journal.take([message], 1);
  const [head] = journal.heads();
  if (head === undefined) throw new Error('there is no message');
  const notBefore = new Date(clock.now() + 60_000).toISOString();
  await journal.change(head, { notBefore });
  expect(journal.heads()).toEqual([]);
  clock.step(-dayMs);
  expect(journal.heads()).toMatchObject([{ eventId: 'evt_1' }]);
  // What is put off from then on is put off by the clock as it is.
  await journal.change(head, { notBefore: new Date(clock.now() + 60_000).toISOString() });
  expect(journal.heads()).toEqual([]);
  clock.step(60_000);
  expect(journal.heads()).toHaveLength(1);
});

async function startIn(dataDir: string, env: Record<string, string> = {}) {
  await using script = startNode(['watcher/main.ts'], {
    ...{ WATCHER_DATA_DIR: dataDir, WATCHER_HEALTH_PORT: '0', WATCHER_VAULT_KEY: 'cv_prod_key' },
    ...{ WATCHER_VAULT_URL: 'http://127.0.0.1:1', WATCHER_GATEWAY_URL: 'http://127.0.0.1:1' },
    ...{ WATCHER_GATEWAY_TOKEN: 'cf_token', ...env },
  });
  return await script.ended;
}

test.each<[name: string, make: (path: string) => void, said: RegExp]>([
  ['is empty', (path) => writeFileSync(path, ''), /watcher\.db is empty: what was in it is lost/],
  ['is no database', (path) => writeFileSync(path, 'x'.repeat(5000)), /is not a database/],
  [
    'is of a newer version',
    (path) => {
      const db = openWatcherDatabase(path);
      db.pragma('user_version = 99');
      db.close();
    },
    /has schema 99, this program knows \d+: it is too old/,
  ],
  [
    'is of another program',
    (path) => {
      const migrationsDir = join(import.meta.dirname, '../../watcher/database');
      openDatabase({ path, migrationsDir, applicationId: 7 }).close();
    },
    /belongs to another application/,
  ],
  ['is a directory', (path) => mkdirSync(path), /watcher\.db/],
])(
  'a watcher.db that %s: it refuses to start with a sentence, and leaves it as it is',
  async (_name, make, said) => {
    using directory = mkdtempDisposableSync(join(tmpdir(), 'gatehouse-journal-'));
    const path = join(directory.path, 'watcher.db');
    make(path);
    const before = statSync(path);
    const { code, stderr } = await startIn(directory.path);
    expect(code).toBe(1);
    expect(stderr).toMatch(said);
    expect(stderr).not.toContain('    at ');
    expect(statSync(path)).toMatchObject({ size: before.size, mtimeMs: before.mtimeMs });
  },
);

test.each<[name: string, content: string, said: RegExp]>([
  ['is no JSON', '{', /AGENTS_FILE .* cannot be read/],
  ['has a field that is none', '{"agents":{"a":{"modle":"x"}}}', /AGENTS_FILE .*\/agents\/a/],
  ['has a relative inbox', '{"agents":{"a":{"inbox":"in"}}}', /must be an absolute path/],
])('an AGENTS_FILE that %s: it refuses to start with a sentence', async (_name, content, said) => {
  using directory = mkdtempDisposableSync(join(tmpdir(), 'gatehouse-journal-'));
  const path = join(directory.path, 'agents.json');
  writeFileSync(path, content);
  const { code, stderr } = await startIn(join(directory.path, 'data'), { AGENTS_FILE: path });
  expect([code, stderr.split('\n').filter(Boolean).length]).toEqual([1, 1]);
  expect(stderr).toMatch(said);
});
