// Whether somebody knows the password: asked with patience, and answered in the same time whoever is asked for.
import { requestError } from '#shared/errors.ts';

import type { UserRow } from '../database/tables.ts';
import { hashPassword, needsRehash, verifyNobody, verifyPassword } from './password-hash.ts';
import type { SignInPatience } from './sign-in-patience.ts';

export type PasswordAttempt = {
  /** As it was typed, also of a user who does not exist. */
  account: string;
  address: string;
  user: UserRow | null;
  password: string;
};

export type PasswordCheck = {
  /** Throws `too_many_attempts`. */
  isRight: (attempt: PasswordAttempt) => Promise<boolean>;
  /** Of a right password whose hash is one of earlier costs; else null. */
  betterHash: (user: UserRow, password: string) => Promise<string | null>;
};

export function createPasswordCheck(patience: SignInPatience): PasswordCheck {
  return {
    async isRight({ account, address, user, password }) {
      const retryAfterSecs = patience.waitSecs(account, address);
      if (retryAfterSecs !== null) {
        const message = 'too many wrong passwords from this address';
        throw requestError('too_many_attempts', message, { retryAfterSecs });
      }
      const hash = user?.passwordHash ?? null;
      const fits = await (hash === null ? verifyNobody(password) : verifyPassword(hash, password));
      const isRight = fits && user?.disabledAt === null;
      if (isRight) patience.noteRight(account, address);
      else patience.noteWrong(account, address);
      return isRight;
    },
    async betterHash({ passwordHash }, password) {
      if (passwordHash === null || !needsRehash(passwordHash)) return null;
      return hashPassword(password);
    },
  };
}
