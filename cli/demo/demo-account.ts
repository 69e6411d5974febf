// Somebody to write as, and a link that signs in as them: made before the vault starts, so that it offers no set-up.
import { randomBytes } from 'node:crypto';

import { systemClock } from '#shared/clock.ts';
import type { Environment } from '#shared/config/variable.ts';
import { newId } from '#shared/ids.ts';
import { createLog } from '#shared/log.ts';
import { openDirectory } from '#shared/open-directory.ts';

import { createAuditLog } from '../../vault/audit/audit-log.ts';
import { readConfig } from '../../vault/config.ts';
import { createOneTimeLinks } from '../../vault/identity/one-time-links.ts';
import { hashPassword } from '../../vault/identity/password-hash.ts';
import { createUsers } from '../../vault/identity/users.ts';
import { realm } from '../../vault/realm.ts';
import { hostActor, withVaultDatabase } from '../host-vault.ts';

export type DemoAccount = { name: string; password: string; linkToken: string };

export async function makeDemoAccount(env: Environment, cwd: string): Promise<DemoAccount> {
  const { config, secrets } = readConfig(env, cwd);
  await openDirectory(config.dataDir, 'VAULT_DATA_DIR');
  const common = { realm, newId, clock: systemClock };
  const account = { name: 'demo', password: randomBytes(12).toString('base64url') };
  const passwordHash = await hashPassword(account.password);
  const log = createLog({ level: 'warn', service: 'demo', destination: process.stderr });
  return withVaultDatabase(config, secrets, log, (database) =>
    database.write(async (scope) => {
      const { name } = account;
      const person = { userId: newId('user'), name, displayName: 'Demo', passwordHash };
      const user = await createUsers(common).create(scope, { ...person, role: 'admin' });
      const { token } = await createOneTimeLinks(common).offerSignIn(scope, user);
      await createAuditLog(realm, systemClock).append(scope.db, {
        ...{ action: 'user.created', actor: hostActor, address: null },
        resource: `user:${user.userId}`,
      });
      return { ...account, linkToken: token };
    }),
  );
}
