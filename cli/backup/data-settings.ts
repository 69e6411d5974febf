// The settings that a backup needs, and no others: a mistake in another one must not cost the operator a backup.
import { resolve } from 'node:path';

import type { Environment } from '#shared/config/variable.ts';

import { variables } from '../../gateway/config-variables.ts';

export type DataSettings = { dataDir: string; diskReserveBytes: number };

export function readDataSettings(env: Environment, cwd: string): DataSettings {
  const { dataDir, diskReserve } = variables;
  const reserveText = env[diskReserve.name] ?? '';
  return {
    dataDir: resolve(cwd, env[dataDir.name] || dataDir.fallback),
    diskReserveBytes: diskReserve.kind.parse(reserveText) ?? diskReserve.fallback,
  };
}
