// One line of writes: what it says to those who wait when the database fails them.
import { mkdtempDisposableSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { sql } from 'kysely';
import { expect, test } from 'vitest';

import { systemClock } from '#shared/clock.ts';

import { createAuditLog, systemActor } from '../../vault/audit/audit-log.ts';
import { openSqlite } from '../../vault/database/sqlite-database.ts';
import { createWriteLine } from '../../vault/database/write-line.ts';
import type { WriteLine, WriteLineParts, WriteScope } from '../../vault/database/write-line.ts';
import { takeEventSeq } from '../../vault/feeds/event-store.ts';
import { notFound } from '../../vault/vault-errors.ts';

type World = AsyncDisposable & { line: WriteLine; announced: (string | null)[] };

function openLine(differently: Partial<WriteLineParts>): World {
  const directory = mkdtempDisposableSync(join(tmpdir(), 'gatehouse-'));
  const database = openSqlite(directory.path, systemClock);
  const announced: (string | null)[] = [];
  const line = createWriteLine({
    ...{ ...database, clock: systemClock },
    onCommitted: (agentIds) => void announced.push(...agentIds),
    ...differently,
  });
  return {
    ...{ line, announced },
    async [Symbol.asyncDispose]() {
      await line.idle();
      await database.close();
      directory.remove();
    },
  };
}

async function count({ db, grew }: WriteScope): Promise<void> {
  await db.insertInto('counters').values({ realm: 'r', name: 'n', value: 1 }).execute();
  grew('an agent');
}

test('of a commit whose end is not known the readers are told, and whoever asked for it too', async () => {
  await using world = openLine({ sync: () => Promise.reject(new Error('no answer')) });
  await expect(world.line.write(count)).rejects.toThrow('no answer');
  expect(world.announced).toEqual(['an agent']);
});

test('of what was undone nobody is told', async () => {
  await using world = openLine({});
  const undone = world.line.write(async () => {
    throw new Error('undone');
  });
  await expect(undone).rejects.toThrow('undone');
  await world.line.write(count);
  expect(world.announced).toEqual(['an agent']);
});

test('whoever has waited long behind a write that failed does not begin to wait for the database as well', async () => {
  let now = 0;
  const begun = Promise.withResolvers<void>();
  const goOn = Promise.withResolvers<void>();
  await using world = openLine({
    clock: { ...systemClock, monotonicMs: () => now },
    begin: async () => {
      begun.resolve();
      await goOn.promise;
      throw new Error('no answer');
    },
  });
  const first = world.line.write(count);
  await begun.promise;
  const second = world.line.write(count);
  now += 6000;
  const third = world.line.write(count);
  now += 6000;
  goOn.resolve();
  await expect(first).rejects.toThrow('no answer');
  await expect(second).rejects.toMatchObject({ code: 'unavailable' });
  await expect(third).rejects.toThrow('no answer');
});

test('one of many that has to be undone takes nobody along, and the others keep their order', async () => {
  await using world = openLine({});
  const seqs: number[] = [];
  const take = async ({ db }: WriteScope): Promise<void> => {
    seqs.push(await takeEventSeq(db, 'r'));
  };
  const all = await Promise.allSettled([
    world.line.write(take),
    world.line.write(async (scope) => {
      await take(scope);
      throw new Error('undone');
    }),
    world.line.write(async ({ db }) => {
      await db.selectFrom('counters').select('value').execute();
      throw notFound('agent');
    }),
    world.line.write(async ({ db }) => {
      await sql`insert into counters (realm) values (null)`.execute(db);
    }),
    world.line.write(take),
  ]);
  expect(all.map(({ status }) => status)).toEqual([
    ...['fulfilled', 'rejected', 'rejected', 'rejected', 'fulfilled'],
  ]);
  await world.line.write(async ({ db }) => {
    expect(await takeEventSeq(db, 'r')).toBe(3);
  });
});

test('a chain of audit rows holds where some of a transaction are undone', async () => {
  await using world = openLine({});
  const audit = createAuditLog('r', systemClock);
  const entry = { action: 'a', actor: systemActor, address: null, resource: null };
  const writes = Array.from({ length: 30 }, (_, index) =>
    world.line.write(async ({ db }) => {
      await audit.append(db, entry);
      if (index % 3 === 1) throw new Error('undone');
      await audit.append(db, entry);
    }),
  );
  await Promise.allSettled(writes);
  const verdict = await world.line.write(({ db }) => audit.verify(db));
  expect(verdict).toMatchObject({ ok: true, rows: 40 });
});
