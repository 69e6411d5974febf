// A link for a user that whoever may read the vault's data directory makes. The vault may be running.
import { parseArgs } from 'node:util';

import { systemClock } from '#shared/clock.ts';
import { StartError } from '#shared/errors.ts';
import { newId } from '#shared/ids.ts';
import { listenUrl } from '#shared/listen.ts';
import { createLog } from '#shared/log.ts';

import { createAuditLog } from '../../vault/audit/audit-log.ts';
import { readConfig } from '../../vault/config.ts';
import type { UserRow } from '../../vault/database/tables.ts';
import type { WriteScope } from '../../vault/database/write-line.ts';
import { createOneTimeLinks } from '../../vault/identity/one-time-links.ts';
import type { MadeLink, OneTimeLinks } from '../../vault/identity/one-time-links.ts';
import { findUserByName } from '../../vault/identity/user-store.ts';
import { realm } from '../../vault/realm.ts';
import { pageUrl } from '../../vault/routes/page-origin.ts';
import { hostActor, requireVault, withVaultDatabase } from '../host-vault.ts';

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
    requireVault(config, secrets);
    const log = createLog({ level: 'warn', service: 'vault', destination: process.stderr });
    const { row, token } = await withVaultDatabase(config, secrets, log, (database) =>
      database.write((scope) => offerLink(scope, name, purpose)),
    );
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
    ...{ action, actor: hostActor, address: null },
    ...{ resource: `user:${user.userId}`, details: { link_id: made.row.linkId } },
  });
  return made;
}
