import {
  chmodSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { openAdminToken } from '../../gateway/access/admin-token.ts';

function createDirectory() {
  const path = mkdtempSync(join(tmpdir(), 'admin-token-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true }) };
}

test('the token of the environment counts and makes no file', () => {
  using dir = createDirectory();
  const token = openAdminToken('from-the-environment', dir.path);
  expect(token.filePath).toBeNull();
  expect(token.matches('from-the-environment')).toBe(true);
  for (const text of ['', 'from-the-environmen', 'from-the-environment ', 'é'.repeat(2 ** 20)]) {
    expect(token.matches(text)).toBe(false);
  }
  expect(readdirSync(dir.path)).toEqual([]);
});

test('without one it is made once, for its owner only', () => {
  using dir = createDirectory();
  const first = openAdminToken(null, dir.path);
  const path = join(dir.path, 'admin-token');
  expect(first.filePath).toBe(path);
  const text = readFileSync(path, 'utf8').trim();
  expect(text).toMatch(/^cfadmin_[A-Za-z0-9_-]{43}$/);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(first.matches(text)).toBe(true);
  expect(openAdminToken(null, dir.path).matches(text)).toBe(true);
  expect(readdirSync(dir.path)).toEqual(['admin-token']);
});

test('a file that others may read is closed to them', () => {
  using dir = createDirectory();
  const path = join(dir.path, 'admin-token');
  writeFileSync(path, 'chosen-by-hand\n');
  chmodSync(path, 0o644);
  expect(openAdminToken(null, dir.path).matches('chosen-by-hand')).toBe(true);
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test.each(['', '\n', 'short', 'two words here', 'ünïcödé-token'])(
  'a file with %j is refused by its name and kept',
  (text) => {
    using dir = createDirectory();
    const path = join(dir.path, 'admin-token');
    writeFileSync(path, text);
    expect(() => openAdminToken(null, dir.path)).toThrow(path);
    expect(readFileSync(path, 'utf8')).toBe(text);
  },
);
