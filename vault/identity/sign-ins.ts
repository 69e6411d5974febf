// Where people are signed in. A sign-in goes on for seven days after its last refresh; each refresh uses up one token and gives the
// next. A token that comes a second time was stolen, before or after its first use: that ends the sign-in.
import { randomBytes } from 'node:crypto';

import { isoTime } from '#shared/clock.ts';
import type { Clock } from '#shared/clock.ts';
import { requestError } from '#shared/errors.ts';
import type { AppError } from '#shared/errors.ts';
import type { NewId } from '#shared/ids.ts';

import type { Db, UserRow } from '../database/tables.ts';
import type { WriteScope } from '../database/write-line.ts';
import { notFound } from '../vault-errors.ts';
import type { AccessTokens } from './access-token.ts';
import { digestOf, kindOf, mint } from './secret-text.ts';
import {
  endFamily,
  extendFamily,
  findFamily,
  findRefreshToken,
  insertFamily,
  insertRefreshToken,
  useRefreshToken,
} from './sign-in-store.ts';
import type { Presented } from './sign-in-store.ts';
import { updateUser } from './user-store.ts';

/** What a browser gets. */
export type Credentials = {
  familyId: string;
  accessToken: string;
  accessExpiresAt: string;
  refreshToken: string;
  csrfToken: string;
};

/** What a browser sends to a route that takes the cookie. */
export type CookiePair = { refreshToken: string | null; csrfToken: string | null };

export type SignInOrigin = { address: string; userAgent: string };

/** What takes a scope runs inside a transaction. */
export type SignIns = {
  /** Of a sign-in that is to begin. */
  prepare: (userId: string) => Promise<Credentials>;
  /** Of one that goes on. */
  prepareNext: (presented: Presented, csrfToken: string) => Promise<Credentials>;
  begin: (
    scope: WriteScope,
    user: UserRow,
    credentials: Credentials,
    origin: SignInOrigin,
  ) => Promise<UserRow>;
  /** Throws `unauthorized` for a cookie that is none any more, `forbidden` without the CSRF token that belongs to it. */
  find: (db: Db, pair: CookiePair) => Promise<Presented>;
  /** Throws ReusedTokenError. */
  rotate: (scope: WriteScope, presented: Presented, credentials: Credentials) => Promise<void>;
  end: (scope: WriteScope, familyId: string, reason: string) => Promise<void>;
  /** False when it had ended already. */
  endReused: (scope: WriteScope, presented: Presented) => Promise<boolean>;
  /** Throws `not_found` for one that is somebody else's or has ended. */
  endOwn: (scope: WriteScope, userId: string, familyId: string) => Promise<void>;
};

/** A refresh token came a second time. */
export class ReusedTokenError extends Error {
  override readonly name = 'ReusedTokenError';
  readonly presented: Presented;

  constructor(presented: Presented) {
    super('a refresh token was used twice');
    this.presented = presented;
  }
}

export const refreshLifetimeSecs = 7 * 86_400;

export function createSignIns(parts: {
  realm: string;
  accessTokens: Pick<AccessTokens, 'sign'>;
  newId: NewId;
  clock: Clock;
}): SignIns {
  const { realm, accessTokens, newId, clock } = parts;
  const now = (): string => isoTime(clock.now());
  const nextEnd = (): string => isoTime(clock.now() + refreshLifetimeSecs * 1000);

  const credentials = async (
    userId: string,
    familyId: string,
    csrfToken: string,
  ): Promise<Credentials> => {
    const { token, expiresAt } = await accessTokens.sign({ userId, familyId, realm });
    const refreshToken = mint('refresh');
    return { familyId, accessToken: token, accessExpiresAt: expiresAt, refreshToken, csrfToken };
  };
  const addToken = async (db: Db, { familyId, refreshToken }: Credentials): Promise<void> => {
    const tokenSha256 = digestOf(refreshToken);
    const times = { createdAt: now(), expiresAt: nextEnd(), usedAt: null };
    await insertRefreshToken(db, { tokenSha256, realm, familyId, ...times });
  };
  const end: SignIns['end'] = ({ db }, familyId, endReason) =>
    endFamily(db, familyId, { endedAt: now(), endReason });

  return {
    prepare: (userId) =>
      credentials(userId, newId('family'), randomBytes(32).toString('base64url')),
    prepareNext: ({ family }, csrfToken) => credentials(family.userId, family.familyId, csrfToken),
    async begin({ db }, user, made, { address, userAgent }) {
      const { userId } = user;
      const [familyId, csrfSha256, createdAt] = [made.familyId, digestOf(made.csrfToken), now()];
      await insertFamily(db, {
        ...{ familyId, realm, userId, csrfSha256, address, userAgent },
        ...{ createdAt, expiresAt: nextEnd(), endedAt: null, endReason: null },
      });
      await addToken(db, made);
      await updateUser(db, userId, { lastSignInAt: createdAt });
      return { ...user, lastSignInAt: createdAt };
    },
    async find(db, { refreshToken, csrfToken }) {
      if (refreshToken === null || kindOf(refreshToken) !== 'refresh') throw signedOut();
      if (csrfToken === null) throw wrongCsrfToken();
      const found = await findRefreshToken(db, digestOf(refreshToken));
      if (found === null) throw signedOut();
      if (digestOf(csrfToken) !== found.family.csrfSha256) throw wrongCsrfToken();
      const { token, family, user } = found;
      const isOver = token.expiresAt <= now() || family.endedAt !== null;
      if (isOver || user.disabledAt !== null) throw signedOut();
      return found;
    },
    async rotate({ db }, presented, next) {
      requireUnused(presented);
      if (!(await useRefreshToken(db, presented.token.tokenSha256, now()))) {
        throw new ReusedTokenError(presented);
      }
      await addToken(db, next);
      await extendFamily(db, next.familyId, nextEnd());
    },
    end,
    async endReused(scope, { family: { familyId } }) {
      const family = await findFamily(scope.db, familyId);
      if (family === null || family.endedAt !== null) return false;
      await end(scope, familyId, 'reuse_detected');
      return true;
    },
    async endOwn(scope, userId, familyId) {
      const family = await findFamily(scope.db, familyId);
      if (family?.userId !== userId || family.endedAt !== null) throw notFound('sign-in');
      await end(scope, familyId, 'ended_by_user');
    },
  };
}

/** Throws ReusedTokenError. */
export function requireUnused(presented: Presented): void {
  if (presented.token.usedAt !== null) throw new ReusedTokenError(presented);
}

/** The same, whatever is wrong. */
export function signedOut(): AppError {
  return requestError('unauthorized', 'you are not signed in any more: sign in again');
}

function wrongCsrfToken(): AppError {
  return requestError(
    'forbidden',
    'send the value of the cookie gatehouse_csrf as the header X-CSRF-Token',
  );
}
