// Who there is: accounts, sign-ins, one-time links, keys.
import { isoTime } from '#shared/clock.ts';
import type { Clock } from '#shared/clock.ts';
import { newId } from '#shared/ids.ts';

import type { Rate } from './access/rate-limit.ts';
import { systemActor } from './audit/audit-log.ts';
import type { AuditLog } from './audit/audit-log.ts';
import type { VaultDatabase } from './database/vault-database.ts';
import type { AccessTokens } from './identity/access-token.ts';
import { createApiKeys } from './identity/api-keys.ts';
import type { ApiKeys } from './identity/api-keys.ts';
import { deleteEndedKeySecrets } from './identity/key-store.ts';
import { deleteExpiredLinks } from './identity/link-store.ts';
import { createOneTimeLinks } from './identity/one-time-links.ts';
import type { OneTimeLinks } from './identity/one-time-links.ts';
import { createPasswordCheck } from './identity/password-check.ts';
import type { PasswordCheck } from './identity/password-check.ts';
import { createSignInPatience } from './identity/sign-in-patience.ts';
import { deleteExpiredFamilies, deleteExpiredTokens } from './identity/sign-in-store.ts';
import { createSignIns } from './identity/sign-ins.ts';
import type { SignIns } from './identity/sign-ins.ts';
import { hasUsers } from './identity/user-store.ts';
import { createUsers } from './identity/users.ts';
import type { Users } from './identity/users.ts';

export type People = {
  users: Users;
  signIns: SignIns;
  links: OneTimeLinks;
  keys: ApiKeys;
  passwords: PasswordCheck;
  /** The token of the link by which the first admin is made; null when there are users. */
  offerSetup: () => Promise<string | null>;
  /** Sign-ins, links and earlier keys that are over. */
  removeOld: (signal: AbortSignal) => Promise<void>;
};

const batch = 200;
const removals = [
  deleteExpiredTokens,
  deleteExpiredFamilies,
  deleteExpiredLinks,
  deleteEndedKeySecrets,
];

export function createPeople(parts: {
  realm: string;
  database: Pick<VaultDatabase, 'reads' | 'write'>;
  audit: AuditLog;
  accessTokens: Pick<AccessTokens, 'sign'>;
  rate: Rate;
  clock: Clock;
}): People {
  const { realm, database, audit, accessTokens, rate: defaultRate, clock } = parts;
  const common = { realm, newId, clock };
  const links = createOneTimeLinks(common);
  return {
    users: createUsers(common),
    signIns: createSignIns({ ...common, accessTokens }),
    links,
    keys: createApiKeys({ ...common, defaultRate }),
    passwords: createPasswordCheck(createSignInPatience(clock)),
    offerSetup: () =>
      database.write(async (scope) => {
        if (await hasUsers(scope.db, realm)) return null;
        const { row, token } = await links.offerSetup(scope);
        const entry = { action: 'setup.offered', actor: systemActor, address: null };
        await audit.append(scope.db, { ...entry, resource: `setup:${row.linkId}` });
        return token;
      }),
    async removeOld(signal) {
      for (const removeSome of removals) {
        const now = isoTime(clock.now());
        // In pieces: each keeps everybody else waiting.
        while (
          !signal.aborted &&
          (await database.write(({ db }) => removeSome(db, now, batch))) > 0
        );
      }
    },
  };
}
