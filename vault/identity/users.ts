// Who has an account, in which role, and whether it is open.
import { isoTime } from '#shared/clock.ts';
import type { Clock } from '#shared/clock.ts';
import { requestError } from '#shared/errors.ts';
import type { UserChange, UserView } from '#shared/vault-identity-api.ts';

import type { Db, UserRow } from '../database/tables.ts';
import type { WriteScope } from '../database/write-line.ts';
import type { Role } from '../permission/role.ts';
import { invalidField, notFound } from '../vault-errors.ts';
import { revokeLinks } from './link-store.ts';
import { passwordFault } from './password-hash.ts';
import { endFamiliesOfUser } from './sign-in-store.ts';
import { findUser, findUserByName, hasOtherAdmin, insertUser, updateUser } from './user-store.ts';

/** Sees the version of what is to be changed. */
export type Check = (version: number) => void;

export type NewUser = {
  userId: string;
  name: string;
  displayName: string | undefined;
  role: Role;
  passwordHash: string;
};

/** What changes something runs inside a transaction. */
export type Users = {
  /** Throws `not_found`. */
  find: (db: Db, userId: string) => Promise<UserRow>;
  create: (scope: WriteScope, user: NewUser) => Promise<UserRow>;
  /** Whoever is disabled is signed out; whoever is no admin any more leaves no invitations behind. */
  change: (scope: WriteScope, userId: string, change: UserChange, check: Check) => Promise<UserRow>;
  /** Ends all sign-ins but one, and the links to another password. */
  setPassword: (
    scope: WriteScope,
    user: UserRow,
    passwordHash: string,
    keptFamilyId: string | null,
  ) => Promise<void>;
};

export function createUsers({ realm, clock }: { realm: string; clock: Clock }): Users {
  const now = (): string => isoTime(clock.now());

  const find: Users['find'] = async (db, userId) => {
    const user = await findUser(db, realm, userId);
    if (user === null) throw notFound('user');
    return user;
  };
  const signOut = async (
    db: Db,
    userId: string,
    endReason: string,
    keptFamilyId: string | null,
  ): Promise<void> => {
    await endFamiliesOfUser(db, userId, { endedAt: now(), endReason }, keptFamilyId);
    await revokeLinks(db, { realm, userId }, now());
  };

  return {
    find,
    async create({ db }, { userId, name, displayName = name, role, passwordHash }) {
      if ((await findUserByName(db, realm, name)) !== null) {
        const message = `there is a user named ${name} already`;
        throw requestError('conflict', message, { details: { field: 'name' } });
      }
      const at = now();
      const user: UserRow = {
        ...{ userId, realm, name, displayName, role, passwordHash, version: 1 },
        ...{ createdAt: at, updatedAt: at, disabledAt: null, lastSignInAt: null },
      };
      await insertUser(db, user);
      return user;
    },
    async change({ db }, userId, change, check) {
      const user = await find(db, userId);
      check(user.version);
      const { disabled: isDisabled = user.disabledAt !== null } = change;
      const changed: UserRow = {
        ...user,
        role: change.role ?? user.role,
        displayName: change.display_name ?? user.displayName,
        disabledAt: isDisabled ? (user.disabledAt ?? now()) : null,
        version: user.version + 1,
        updatedAt: now(),
      };
      const wasAdmin = isOpenAdmin(user);
      const staysAdmin = isOpenAdmin(changed);
      if (wasAdmin && !staysAdmin && !(await hasOtherAdmin(db, realm, userId))) {
        throw requestError('conflict', 'this is the last admin: make somebody else one first');
      }
      const { userId: _id, realm: _realm, name: _name, ...columns } = changed;
      await updateUser(db, userId, columns);
      if (isDisabled) await signOut(db, userId, 'user_disabled', null);
      // Else an invitation made beforehand would be the way back in.
      if (!staysAdmin) await revokeLinks(db, { realm, createdBy: userId }, now());
      return changed;
    },
    async setPassword({ db }, { userId }, passwordHash, keptFamilyId) {
      await updateUser(db, userId, { passwordHash });
      await signOut(db, userId, 'password_changed', keptFamilyId);
    },
  };
}

function isOpenAdmin({ role, disabledAt }: UserRow): boolean {
  return role === 'admin' && disabledAt === null;
}

/** Throws `invalid_request` for a wanted password that is none. */
export function requireGoodPassword(field: string, password: string, userName: string): void {
  const fault = passwordFault(password, userName);
  if (fault !== null) throw invalidField(field, fault);
}

export function userView(row: UserRow): UserView {
  return {
    user_id: row.userId,
    name: row.name,
    display_name: row.displayName,
    role: row.role,
    disabled: row.disabledAt !== null,
    disabled_at: row.disabledAt,
    created_at: row.createdAt,
    updated_at: row.updatedAt,
    last_sign_in_at: row.lastSignInAt,
    version: row.version,
  };
}
