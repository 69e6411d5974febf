// The write-ahead log while somebody reads for long, and what stays in it of prompts.
import { mkdtempDisposableSync, readFileSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import SqliteDatabase from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { systemClock } from '#shared/clock.ts';
import { createDatabaseWriter } from '#shared/database-writer.ts';
import type { Database } from '#shared/database.ts';

import { openGatewayDatabase } from '../../gateway/database/gateway-database.ts';
import { createWalWatch } from '../../gateway/database/wal-watch.ts';
import type { WalWatch } from '../../gateway/database/wal-watch.ts';
import { createCapturedLog } from '../support/captured-log.ts';
import { startScript } from '../support/child-script.ts';
import type { Script } from '../support/child-script.ts';
import { startCheckedGateway } from '../support/leak-check.ts';
import { createManualClock } from '../support/manual-clock.ts';

const sizeOf = (path: string): number =>
  statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0;

/** Another process that reads an old state of the database until its stdin ends. */
async function startReader(path: string): Promise<Script> {
  const reader = startScript(
    `
    import SqliteDatabase from 'better-sqlite3';
    const db = new SqliteDatabase(process.env.DB, { readonly: true });
    db.exec('begin');
    db.prepare('select count(*) from apps').get();
    console.log('reading');
    await new Promise((resolve) => process.stdin.on('end', resolve).resume());
    db.exec('commit');
  `,
    { DB: path },
  );
  await reader.said('reading');
  return reader;
}

async function endOf(reader: Script): Promise<void> {
  reader.child.stdin.end();
  expect(await reader.ended).toMatchObject({ code: 0 });
}

/** So many writes that the log would be larger than it may be, were it not emptied meanwhile. */
async function writeALot(db: Database): Promise<void> {
  const writer = createDatabaseWriter(db, systemClock);
  const insert = db.prepare('insert into filler (text) values (?)');
  const text = 'x'.repeat(750_000);
  for (let each = 0; each < 100; each += 1) await writer.write(() => void insert.run(text));
}

describe('the write-ahead log', () => {
  let directory: ReturnType<typeof mkdtempDisposableSync>;
  let path: string;
  let db: Database;
  let watch: WalWatch;
  const clock = createManualClock();
  let captured: ReturnType<typeof createCapturedLog>;
  const watchWith = (forgets: boolean): WalWatch =>
    createWalWatch({ db, forgets, clock, log: captured.log });

  beforeEach(() => {
    directory = mkdtempDisposableSync(join(tmpdir(), 'gatehouse-'));
    path = join(directory.path, 'gateway.db');
    db = openGatewayDatabase(path);
    db.exec('create table filler (text text)');
    captured = createCapturedLog();
    watch = watchWith(false);
  });
  afterEach(() => {
    db.close();
    directory.remove();
  });

  test('is warned of once when a reader lets it grow, and emptied when the reader has gone', async () => {
    await using reader = await startReader(path);
    await writeALot(db);
    watch.look();
    watch.look();
    expect(captured.lines()).toMatchObject([
      { level: 'warn', wal_bytes: sizeOf(path), msg: expect.stringContaining('reading for long') },
    ]);
    expect(sizeOf(path)).toBeGreaterThan(64 * 2 ** 20);
    expect(watch.largeBytes()).toBe(sizeOf(path));

    await endOf(reader);
    watch.look();
    expect(sizeOf(path)).toBe(0);
    expect(watch.largeBytes()).toBeNull();

    await using another = await startReader(path);
    await writeALot(db);
    watch.look();
    expect(captured.lines()).toHaveLength(2);
    await endOf(another);
  });

  test('is left alone while it is small and prompts may stay', async () => {
    db.exec("insert into filler values ('a')");
    await clock.advance(3_600_000);
    watch.look();
    expect(sizeOf(path)).toBeGreaterThan(0);
  });

  test('is emptied once a minute when prompts are not to stay, or as soon as nobody reads', async () => {
    watch = watchWith(true);
    watch.look();
    db.exec("insert into filler values ('a')");
    await clock.advance(59_000);
    watch.look();
    expect(sizeOf(path)).toBeGreaterThan(0);

    await using reader = await startReader(path);
    db.exec("insert into filler values ('b')");
    await clock.advance(1000);
    watch.look();
    expect(sizeOf(path)).toBeGreaterThan(0);
    await endOf(reader);
    watch.look();
    expect(sizeOf(path)).toBe(0);
    expect(captured.lines()).toEqual([]);
  });
});

test('a gateway whose database is read for long says so, stays ready, and empties the log', async () => {
  await using gateway = await startCheckedGateway();
  const path = join(gateway.dataDir, 'gateway.db');
  const databasePart = async (): Promise<unknown> => {
    const { status, body } = await gateway.fetch('/readyz');
    expect(status).toBe(200);
    return body.parts.find(({ name }: { name: string }) => name === 'database');
  };
  expect(await databasePart()).toEqual({ name: 'database', ok: true, message: 'answers' });

  await using reader = await startReader(path);
  using other = disposable(new SqliteDatabase(path));
  other.db.exec('create table filler (text text)');
  await writeALot(other.db);
  const said = expect.stringMatching(/log has \d+ MB, since something has been reading/);
  await expect
    .poll(databasePart, { timeout: 20_000 })
    .toEqual({ name: 'database', ok: true, message: said });
  const warned = gateway.logged().filter(({ level }) => level === 'warn');
  expect(warned.map(({ msg }) => msg)).toEqual([
    expect.stringContaining('write-ahead log is large'),
  ]);

  await endOf(reader);
  await expect.poll(() => sizeOf(path), { timeout: 20_000 }).toBe(0);
  expect(await databasePart()).toMatchObject({ message: 'answers' });
});

test('with AUDIT_PROMPTS=hash the prompt of a run that has ended is on no disk a minute later', async () => {
  let skippedMs = 0;
  const clock = { ...systemClock, monotonicMs: () => systemClock.monotonicMs() + skippedMs };
  await using gateway = await startCheckedGateway({ env: { AUDIT_PROMPTS: 'hash' }, clock });
  const token = await gateway.mint('app');
  const secret = 'nobody may find this sentence again';
  // What it is asked is stored, and its answer does not quote it.
  const request = { prompt: `@@two-results ${secret}`, on_interrupt: 'retry' };
  expect((await gateway.run(token, request)).body.result).toBe('second result');
  const kept = (): boolean =>
    ['gateway.db', 'gateway.db-wal'].some((name) =>
      readFileSync(join(gateway.dataDir, name)).includes(secret),
    );
  expect(kept()).toBe(true);
  skippedMs = 60_000;
  await expect.poll(kept, { timeout: 20_000 }).toBe(false);
});

function disposable(db: Database): Disposable & { db: Database } {
  return { db, [Symbol.dispose]: () => void db.close() };
}
