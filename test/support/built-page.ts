// The page as `npm run build` makes it, once for all tests of it: a global setup of Vitest.
import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const root = join(import.meta.dirname, '../..');
const vite = join(
  dirname(createRequire(import.meta.url).resolve('vite/package.json')),
  'bin/vite.js',
);

export async function setup(): Promise<void> {
  const args = [vite, 'build', '--config', 'dashboard/vite.config.ts', '--logLevel', 'warn'];
  // Vitest says `test` here, which would build a React for developers.
  const env = { ...process.env, NODE_ENV: 'production' };
  await promisify(execFile)(process.execPath, args, { cwd: root, env });
}
