// One line of writes: what it says to those who wait when the database fails them.
import { mkdtempDisposableSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { systemClock } from '#shared/clock.ts';

import { openSqlite } from '../../vault/database/sqlite-database.ts';
import { createWriteLine } from '../../vault/database/write-line.ts';
import type { WriteLine, WriteLineParts, WriteScope } from '../../vault/database/write-line.ts';

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
