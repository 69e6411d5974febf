import { mkdtempDisposableSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, expect, test } from 'vitest';

import { systemClock } from '#shared/clock.ts';
import { createDatabaseWriter, DatabaseFullError } from '#shared/database-writer.ts';
import { openDatabase } from '#shared/database.ts';
import type { Database } from '#shared/database.ts';

import { startScript } from '../support/child-script.ts';
import type { Script } from '../support/child-script.ts';
import { createManualClock } from '../support/manual-clock.ts';

let directory: ReturnType<typeof mkdtempDisposableSync>;
let path: string;
let db: Database;

beforeEach(() => {
  directory = mkdtempDisposableSync(join(tmpdir(), 'gatehouse-'));
  path = join(directory.path, 'test.db');
  writeFileSync(
    join(directory.path, '0001-rows.sql'),
    'create table notes (id integer primary key, text text not null) strict;',
  );
  db = openDatabase({ path, migrationsDir: directory.path, applicationId: 1 });
});

afterEach(() => {
  db.close();
  directory.remove();
});

const insert = (text: string): void => {
  db.prepare('insert into notes (text) values (?)').run(text);
};

const big = 'x'.repeat(100_000);

const texts = (): unknown[] => db.prepare('select text from notes order by id').pluck().all();

/** Holds the write lock from when it said "locked" until its stdin ends, or for `holdMs`. */
function startLockHolder(holdMs?: number): Script {
  const wait =
    holdMs === undefined
      ? "await new Promise((resolve) => process.stdin.on('end', resolve).resume());"
      : `await new Promise((resolve) => setTimeout(resolve, ${holdMs}));`;
  return startScript(
    `
    import SqliteDatabase from 'better-sqlite3';
    const db = new SqliteDatabase(process.env.DB);
    db.exec('begin immediate');
    console.log('locked');
    ${wait}
    db.exec('rollback');
  `,
    { DB: path },
  );
}

test('a write has happened when its promise resolves, and gives what the work gave', async () => {
  const writer = createDatabaseWriter(db, systemClock);
  const written = writer.write(() => {
    insert('now');
    return 7;
  });
  expect(texts()).toEqual([]);
  expect(await written).toBe(7);
  expect(texts()).toEqual(['now']);
  await writer.idle();
});

test('writes of one turn of the event loop share one commit', async () => {
  const statements: string[] = [];
  db.close();
  db = openDatabase({
    ...{ path, migrationsDir: directory.path, applicationId: 1 },
    trace: (sql) => statements.push(sql),
  });
  const writer = createDatabaseWriter(db, systemClock);
  const write = (text: string) => writer.write(() => insert(text));
  await Promise.all(['a', 'b', 'c'].map(write));
  await write('d');
  expect(texts()).toEqual(['a', 'b', 'c', 'd']);
  expect(statements.filter((sql) => sql === 'commit')).toHaveLength(2);
});

test('one that throws takes nothing of its neighbours in the same commit along', async () => {
  const writer = createDatabaseWriter(db, systemClock);
  const ends = await Promise.allSettled([
    writer.write(() => insert('before')),
    writer.write(() => {
      insert('half');
      throw new Error('no');
    }),
    writer.write(() => insert('after')),
  ]);
  expect(ends.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  expect(texts()).toEqual(['before', 'after']);
});

test('one that does not fit on the disk takes nothing of its neighbours along', async () => {
  const writer = createDatabaseWriter(db, systemClock);
  db.pragma('max_page_count = 10');
  const ends = await Promise.allSettled([
    writer.write(() => insert('before')),
    writer.write(() => insert(big)),
    writer.write(() => insert('after')),
  ]);
  expect(ends.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  expect(ends[1]).toMatchObject({ reason: { code: 'disk_full' } });
  expect(texts()).toEqual(['before', 'after']);
});

test('what throws is rolled back and rejects, and the next write goes on', async () => {
  const writer = createDatabaseWriter(db, systemClock);
  const broken = writer.write(() => {
    insert('half');
    throw new Error('no');
  });
  await expect(broken).rejects.toThrow('no');
  await writer.write(() => {
    insert('whole');
  });
  expect(texts()).toEqual(['whole']);
});

test('work that is not synchronous is refused', async () => {
  const writer = createDatabaseWriter(db, systemClock);
  await expect(writer.write(async () => insert('late'))).rejects.toThrow(/synchronous/);
  expect(texts()).toEqual([]);
});

test('a foreign lock of 1.5 s delays writes without blocking the event loop', async () => {
  const writer = createDatabaseWriter(db, systemClock);
  await using holder = startLockHolder(1500);
  await holder.said('locked');
  let turns = 0;
  const ticking = setInterval(() => (turns += 1), 5);
  const numbers = Array.from({ length: 20 }, (_, i) => String(i));
  const writes = numbers.map(
    async (text) =>
      await writer.write(() => {
        insert(text);
      }),
  );
  expect(texts()).toEqual([]);
  await Promise.all(writes);
  clearInterval(ticking);
  expect(texts()).toEqual(numbers);
  // While SQLite itself waits for the lock, the loop does not turn at all.
  expect(turns).toBeGreaterThan(20);
});

test('order is kept for writes that come while others wait', async () => {
  const clock = createManualClock();
  const writer = createDatabaseWriter(db, clock);
  await using holder = startLockHolder();
  await holder.said('locked');
  const first = writer.write(() => {
    insert('first');
  });
  await expect.poll(() => clock.sleepers()).toBe(1);
  holder.child.stdin.end();
  await holder.ended;
  // The lock is free, but the first one has not been tried again yet.
  const second = writer.write(() => {
    insert('second');
  });
  expect(texts()).toEqual([]);
  await clock.advance(1000);
  await Promise.all([first, second, writer.idle()]);
  expect(texts()).toEqual(['first', 'second']);
});

test('a lock that never ends makes writes give up, and later ones work again', async () => {
  const writer = createDatabaseWriter(db, systemClock, { giveUpAfterMs: 100 });
  await using holder = startLockHolder();
  await holder.said('locked');
  const writes = ['a', 'b', 'c'].map(
    async (text) =>
      await writer.write(() => {
        insert(text);
      }),
  );
  const ends = await Promise.allSettled(writes);
  expect(ends.map((end) => (end.status === 'rejected' ? String(end.reason) : 'written'))).toEqual(
    Array.from({ length: 3 }, () => expect.stringMatching(/DatabaseBusyError: .*test\.db/)),
  );
  await writer.idle();
  holder.child.stdin.end();
  await holder.ended;
  await writer.write(() => {
    insert('again');
  });
  expect(texts()).toEqual(['again']);
});

test('a full disk rejects with an error that answers 507, and reading goes on', async () => {
  const writer = createDatabaseWriter(db, systemClock);
  db.pragma('max_page_count = 10');
  const written = writer.write(() => {
    insert(big);
  });
  await expect(written).rejects.toBeInstanceOf(DatabaseFullError);
  await expect(written).rejects.toMatchObject({ code: 'disk_full', statusCode: 507 });
  expect(texts()).toEqual([]);
  db.pragma('max_page_count = 1000');
  await writer.write(() => {
    insert('room again');
  });
  expect(texts()).toEqual(['room again']);
});

test('on a full disk the reserve is dropped once and the write is tried again', async () => {
  let dropped = 0;
  const writer = createDatabaseWriter(db, systemClock, {
    onFull: () => {
      dropped += 1;
      db.pragma('max_page_count = 40');
      return dropped === 1;
    },
  });
  db.pragma('max_page_count = 10');
  await writer.write(() => {
    insert(big);
  });
  expect(texts()).toEqual([big]);
  const more = writer.write(() => {
    insert(big);
  });
  await expect(more).rejects.toBeInstanceOf(DatabaseFullError);
  expect(dropped).toBe(2);
  expect(texts()).toEqual([big]);
});

/** A disk that takes each sync when the test says so. */
function createSlowDisk() {
  const syncs: PromiseWithResolvers<void>[] = [];
  const sync = (): Promise<void> => {
    const asked = Promise.withResolvers<void>();
    syncs.push(asked);
    return asked.promise;
  };
  return { syncs, sync, close: () => {} };
}

test('a write is told of once it is on disk, and those made meanwhile share the next wait', async () => {
  const disk = createSlowDisk();
  const writer = createDatabaseWriter(db, systemClock, { wal: disk });
  const told: string[] = [];
  const write = (text: string) => writer.write(() => insert(text)).then(() => told.push(text));
  const first = write('first');
  await expect.poll(() => disk.syncs.length).toBe(1);
  const rest = [write('second')];
  await expect.poll(texts).toEqual(['first', 'second']);
  rest.push(write('third'));
  await expect.poll(texts).toEqual(['first', 'second', 'third']);
  expect(told).toEqual([]);
  disk.syncs[0]?.resolve();
  await first;
  expect(told).toEqual(['first']);
  await expect.poll(() => disk.syncs.length).toBe(2);
  disk.syncs[1]?.resolve();
  await Promise.all([...rest, writer.close()]);
  expect(told).toEqual(['first', 'second', 'third']);
  expect(disk.syncs).toHaveLength(2);
});

test('when the disk fails nobody is told, and the process is told to end', async () => {
  const disk = createSlowDisk();
  const lost: unknown[] = [];
  const writer = createDatabaseWriter(db, systemClock, {
    ...{ wal: disk, onLost: (err) => lost.push(err) },
  });
  let isTold = false;
  const tell = (): void => void (isTold = true);
  writer.write(() => insert('unknown')).then(tell, tell);
  await expect.poll(() => disk.syncs.length).toBe(1);
  disk.syncs[0]?.reject(new Error('EIO'));
  await expect.poll(() => lost).toEqual([new Error('EIO')]);
  expect(isTold).toBe(false);
});

test('a commit does not wait for the disk itself', async () => {
  expect(db.pragma('synchronous', { simple: true })).toBe(2);
  const writer = createDatabaseWriter(db, systemClock);
  expect(db.pragma('synchronous', { simple: true })).toBe(1);
  await writer.write(() => insert('kept'));
  await writer.close();
  expect(texts()).toEqual(['kept']);
});
