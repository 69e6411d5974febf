// The one credential of the admin routes: from the environment, else made once and kept in a file.
import { hash, randomBytes, timingSafeEqual } from 'node:crypto';
import { chmodSync, existsSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { StartError } from '#shared/errors.ts';

export type AdminToken = {
  /** Takes the same time for every text. */
  matches(text: string): boolean;
  /** Where the operator finds it; null when it came from the environment. */
  filePath: string | null;
};

/** The data directory must exist. */
export function openAdminToken(bootstrapToken: string | null, dataDir: string): AdminToken {
  if (bootstrapToken !== null) return createAdminToken(bootstrapToken, null);
  const filePath = join(dataDir, 'admin-token');
  if (!existsSync(filePath)) makeFile(filePath);
  return createAdminToken(readFile(filePath), filePath);
}

function createAdminToken(token: string, filePath: string | null): AdminToken {
  const digest = hash('sha256', token, 'buffer');
  return {
    matches: (text) => timingSafeEqual(hash('sha256', text, 'buffer'), digest),
    filePath,
  };
}

// Renamed into place, so that a crash half way leaves no empty token.
function makeFile(filePath: string): void {
  const draftPath = `${filePath}.${randomBytes(6).toString('hex')}`;
  const token = `cfadmin_${randomBytes(32).toString('base64url')}`;
  writeFileSync(draftPath, `${token}\n`, { mode: 0o600, flag: 'wx', flush: true });
  renameSync(draftPath, filePath);
}

function readFile(filePath: string): string {
  const token = readFileSync(filePath, 'utf8').trim();
  if (!/^[!-~]{8,}$/.test(token)) {
    throw new StartError(
      `${filePath} must hold one token of at least 8 printable characters: ` +
        'remove it to have one made, or set ADMIN_BOOTSTRAP_TOKEN',
    );
  }
  if ((statSync(filePath).mode & 0o077) !== 0) chmodSync(filePath, 0o600);
  return token;
}
