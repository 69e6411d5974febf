import { existsSync, mkdtempDisposableSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { createDiskReserve } from '#shared/disk-reserve.ts';

const clock = {
  ms: 0,
  now: () => 0,
  monotonicMs: () => clock.ms,
  sleep: async () => undefined,
};

test('the reserve takes real blocks, is given up once and made again a while later', () => {
  using directory = mkdtempDisposableSync(join(tmpdir(), 'gatehouse-'));
  const path = join(directory.path, 'reserve');
  const reserve = createDiskReserve({ path, clock });
  expect(reserve.drop()).toBe(false);
  clock.ms += 10_000;
  expect(reserve.restore()).toBe(true);
  const { size, blocks, mode } = statSync(path);
  expect(size).toBe(2 * 2 ** 20);
  expect(blocks * 512).toBeGreaterThanOrEqual(size);
  expect(mode & 0o777).toBe(0o600);

  expect(createDiskReserve({ path, clock }).drop()).toBe(true);
  expect(reserve.drop()).toBe(true);
  expect(reserve.drop()).toBe(false);
  expect(existsSync(path)).toBe(false);
  expect(reserve.restore()).toBe(false);
  clock.ms += 10_000;
  expect(reserve.restore()).toBe(true);
  expect(existsSync(path)).toBe(true);
});

test('without room to spare nothing is made', () => {
  using directory = mkdtempDisposableSync(join(tmpdir(), 'gatehouse-'));
  const path = join(directory.path, 'reserve');
  const reserve = createDiskReserve({ path, clock, bytes: 2 ** 50 });
  expect(reserve.restore()).toBe(false);
  expect(existsSync(path)).toBe(false);
});
