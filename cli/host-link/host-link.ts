// A link for a user that whoever may read the vault's data directory makes. The vault may be running.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { systemClock } from '#shared/clock.ts';
import { StartError } from '#shared/errors.ts';
import { newId } from '#shared/ids.ts';
import { listenUrl } from '#shared/listen.ts';
import { createLog } from '#shared/log.ts';

import { createAuditLog } from '../../vault/audit/audit-log.ts';
import { readConfig } from '../../vault/config.ts';
import type { VaultConfig, VaultSecrets } from '../../vault/config.ts';
import { vaultDatabaseFile } from '../../vault/database/sqlite-database.ts';
import type { UserRow } from '../../vault/database/tables.ts';
import { openVaultDatabase } from '../../vault/database/vault-database.ts';
import type { VaultDatabase } from '../../vault/database/vault-database.ts';
import type { WriteScope } from '../../vault/database/write-line.ts';
import { createOneTimeLinks } from '../../vault/identity/one-time-links.ts';
import type { MadeLink, OneTimeLinks } from '../../vault/identity/one-time-links.ts';
import { findUserByName } from '../../vault/identity/user-store.ts';
import { realm } from '../../vault/realm.ts';
import { pageUrl } from '../../vault/routes/page-origin.ts';

export type LinkPurpose = {
  /** The command, as it is typed. */
  usage: string;
  /** Of the page that the link opens. */
  page: 'reset-password' | 'sign-in';
  /** Of the audit row. */
  action: string;
  offer: (links: OneTimeLinks, scope: WriteScope, user: UserRow) => Promise<MadeLink>;
};

/** Prints it. Gives the exit code: 0 there is one, 1 there is none, and why. */
export async function printLink(purpose: LinkPurpose): Promise<0 | 1> {
  try {
    const { positionals } = parseArgs({ allowPositionals: true });
    const [name] = positionals;
    if (name === undefined || positionals.length > 1) {
      throw new StartError(`usage: ${purpose.usage} -- <name of the user>`);
    }
    const { config, secrets } = readConfig(process.env, process.cwd());
    const { row, token } = await makeLink(config, secrets, name, purpose);
    const { host, port } = config.listen;
    const link = pageUrl(config.publicUrl ?? listenUrl(host, port), purpose.page, token);
    process.stdout.write(`A link for ${name}, for one use, until ${row.expiresAt}:\n${link}\n`);
    return 0;
  } catch (err) {
    const reason = err instanceof Error ? err.message : String(err);
    process.stderr.write(`there is no link: ${reason}\n`);
    return 1;
  }
}

async function makeLink(
  config: VaultConfig,
  secrets: VaultSecrets,
  name: string,
  purpose: LinkPurpose,
): Promise<MadeLink> {
  const database = await openDatabase(config, secrets);
  try {
    return await database.write((scope) => offerLink(scope, name, purpose));
  } finally {
    await database.close();
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

async function offerLink(
  scope: WriteScope,
  name: string,
  { offer, action }: LinkPurpose,
): Promise<MadeLink> {
  const user = await findUserByName(scope.db, realm, name);
  if (user === null) throw new StartError(`there is no user named ${JSON.stringify(name)}`);
  if (user.disabledAt !== null) throw new StartError(`${name} is disabled: enable them first`);
  const made = await offer(createOneTimeLinks({ realm, newId, clock: systemClock }), scope, user);
  await createAuditLog(realm, systemClock).append(scope.db, {
    ...{ action, actor: { kind: 'host', id: null, name: null }, address: null },
    ...{ resource: `user:${user.userId}`, details: { link_id: made.row.linkId } },
  });
  return made;
}
