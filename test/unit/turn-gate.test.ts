import { setImmediate as settled } from 'node:timers/promises';

import { expect, test } from 'vitest';

import { createTurnGate } from '../../vault/identity/turn-gate.ts';

test('no more run than may, and the others follow in order', async () => {
  const inTurn = createTurnGate(3);
  const latches = Array.from({ length: 10 }, () => Promise.withResolvers<void>());
  const begun: number[] = [];
  const all = latches.map(({ promise }, index) =>
    inTurn(async () => {
      begun.push(index);
      await promise;
      return index;
    }),
  );
  for (const [index, latch] of latches.entries()) {
    await settled();
    expect(begun).toHaveLength(Math.min(10, index + 3));
    latch.resolve();
  }
  expect(await Promise.all(all)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(begun).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

test('work that fails gives its turn on', async () => {
  const inTurn = createTurnGate(1);
  const broken = inTurn(() => Promise.reject(new Error('no')));
  const sound = inTurn(() => Promise.resolve('yes'));
  await expect(broken).rejects.toThrow('no');
  expect(await sound).toBe('yes');
  expect(await inTurn(() => Promise.resolve('again'))).toBe('again');
});
