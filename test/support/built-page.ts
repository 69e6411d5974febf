// The page as `npm run build` makes it, once for all tests of it: a global setup of Vitest.
import { join } from 'node:path';

import { build } from 'vite';

export async function setup(): Promise<void> {
  const configFile = join(import.meta.dirname, '../../dashboard/vite.config.ts');
  await build({ configFile, logLevel: 'warn', mode: 'production' });
}
