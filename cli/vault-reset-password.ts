// npm run vault:reset-password -- <name>: prints a link by which the user sets a new password. 0 there is one, 1 there is none, and why.
// The vault may be running.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { systemClock } from '#shared/clock.ts';
import { StartError } from '#shared/errors.ts';
import { newId } from '#shared/ids.ts';
import { listenUrl } from '#shared/listen.ts';
import { createLog } from '#shared/log.ts';

import { realm } from '../vault/app.ts';
import { createAuditLog } from '../vault/audit/audit-log.ts';
import { readConfig } from '../vault/config.ts';
import type { VaultConfig, VaultSecrets } from '../vault/config.ts';
import { vaultDatabaseFile } from '../vault/database/sqlite-database.ts';
import { openVaultDatabase } from '../vault/database/vault-database.ts';
import type { VaultDatabase } from '../vault/database/vault-database.ts';
import { createOneTimeLinks } from '../vault/identity/one-time-links.ts';
import type { MadeLink } from '../vault/identity/one-time-links.ts';
import { findUserByName } from '../vault/identity/user-store.ts';
import { pageUrl } from '../vault/routes/page-origin.ts';

process.exitCode = await resetPassword();

async function resetPassword(): Promise<0 | 1> {
  try {
    const { positionals } = parseArgs({ allowPositionals: true });
    const [name] = positionals;
    if (name === undefined || positionals.length > 1) {
      throw new StartError('usage: npm run vault:reset-password -- <name of the user>');
    }
    const { config, secrets } = readConfig(process.env, process.cwd());
    const database = await openDatabase(config, secrets);
    const made = await makeLink(database, name).finally(() => database.close());
    const { host, port } = config.listen;
    const link = pageUrl(config.publicUrl ?? listenUrl(host, port), 'reset-password', made.token);
    process.stdout.write(
      `A link for ${name}, for one use, until ${made.row.expiresAt}:\n${link}\n`,
    );
    return 0;
  } catch (err) {
    const reason = err instanceof Error ? err.message : String(err);
    process.stderr.write(`there is no link: ${reason}\n`);
    return 1;
  }
}

async function openDatabase(
  { dataDir }: VaultConfig,
  { databaseUrl }: VaultSecrets,
): Promise<VaultDatabase> {
  const path = join(dataDir, vaultDatabaseFile);
  if (databaseUrl === null && !existsSync(path)) throw new StartError(`${path} does not exist`);
  const log = createLog({ level: 'warn', service: 'vault', destination: process.stderr });
  return openVaultDatabase({
    databaseUrl,
    dataDir,
    onCommitted: () => {},
    clock: systemClock,
    log,
  });
}

async function makeLink(database: VaultDatabase, name: string): Promise<MadeLink> {
  const audit = createAuditLog(realm, systemClock);
  const links = createOneTimeLinks({ realm, newId, clock: systemClock });
  return database.write(async (scope) => {
    const user = await findUserByName(scope.db, realm, name);
    if (user === null) throw new StartError(`there is no user named ${JSON.stringify(name)}`);
    if (user.disabledAt !== null) throw new StartError(`${name} is disabled: enable them first`);
    const made = await links.offerPasswordReset(scope, user, null);
    await audit.append(scope.db, {
      action: 'user.password_reset_offered',
      actor: { kind: 'host', id: null, name: null },
      address: null,
      resource: `user:${user.userId}`,
      details: { link_id: made.row.linkId },
    });
    return made;
  });
}
