// Links that are sent to somebody: to set the vault up, to join it, to set a new password, to sign in. Each works once, and only for a time.
import { isoTime } from '#shared/clock.ts';
import type { Clock } from '#shared/clock.ts';
import { requestError } from '#shared/errors.ts';
import type { AppError } from '#shared/errors.ts';
import type { NewId } from '#shared/ids.ts';
import type { InvitationView } from '#shared/vault-identity-api.ts';

import type { Db, OneTimeLinkRow, UserRow } from '../database/tables.ts';
import type { WriteScope } from '../database/write-line.ts';
import type { Role } from '../permission/role.ts';
import { notFound } from '../vault-errors.ts';
import { findLink, findLinkBySecret, insertLink, revokeLinks, useLink } from './link-store.ts';
import type { LinkKind } from './link-store.ts';
import { digestOf, kindOf, mint } from './secret-text.ts';

/** The token is known only here. */
export type MadeLink = { row: OneTimeLinkRow; token: string };

/** What takes a scope runs inside a transaction. */
export type OneTimeLinks = {
  /** Instead of any that was offered before. */
  offerSetup: (scope: WriteScope) => Promise<MadeLink>;
  /** Instead of any that the user had; `createdBy` is null for somebody on the host. */
  offerPasswordReset: (
    scope: WriteScope,
    user: Pick<UserRow, 'userId'>,
    createdBy: string | null,
  ) => Promise<MadeLink>;
  /** Instead of any that the user had; made on the host alone. */
  offerSignIn: (scope: WriteScope, user: Pick<UserRow, 'userId'>) => Promise<MadeLink>;
  invite: (
    scope: WriteScope,
    invitation: { role: Role; createdBy: string; lifetimeSecs: number },
  ) => Promise<MadeLink>;
  /** Null for a token that opens nothing of this kind, or nothing any more. */
  find: (db: Db, token: string, kind: LinkKind) => Promise<OneTimeLinkRow | null>;
  /** Throws `unauthorized` where `find` gives null. */
  spend: (scope: WriteScope, token: string, kind: LinkKind) => Promise<OneTimeLinkRow>;
  /** Throws `not_found` for one that is not open. */
  revokeInvitation: (scope: WriteScope, linkId: string) => Promise<void>;
};

const daySecs = 86_400;
/** It opens an account with nothing else. */
const signInSecs = 3600;

export function createOneTimeLinks(parts: {
  realm: string;
  newId: NewId;
  clock: Clock;
}): OneTimeLinks {
  const { realm, newId, clock } = parts;
  const now = (): string => isoTime(clock.now());

  const make = async (
    db: Db,
    link: Pick<OneTimeLinkRow, 'kind' | 'role' | 'userId' | 'createdBy'>,
    lifetimeSecs: number,
  ): Promise<MadeLink> => {
    const token = mint('link');
    const madeAt = clock.now();
    const row: OneTimeLinkRow = {
      ...{ linkId: newId(link.kind), realm, ...link, secretSha256: digestOf(token) },
      ...{ createdAt: isoTime(madeAt), expiresAt: isoTime(madeAt + lifetimeSecs * 1000) },
      ...{ usedAt: null, revokedAt: null },
    };
    await insertLink(db, row);
    return { row, token };
  };
  const find: OneTimeLinks['find'] = async (db, token, kind) => {
    if (kindOf(token) !== 'link') return null;
    const link = await findLinkBySecret(db, digestOf(token));
    return link !== null && link.kind === kind && stateOf(link, now()) === 'open' ? link : null;
  };

  return {
    async offerSetup({ db }) {
      await revokeLinks(db, { realm, kind: 'setup' }, now());
      const nobody = { role: null, userId: null, createdBy: null };
      return make(db, { kind: 'setup', ...nobody }, daySecs);
    },
    async offerPasswordReset({ db }, { userId }, createdBy) {
      await revokeLinks(db, { realm, kind: 'password_reset', userId }, now());
      return make(db, { kind: 'password_reset', role: null, userId, createdBy }, daySecs);
    },
    async offerSignIn({ db }, { userId }) {
      await revokeLinks(db, { realm, kind: 'sign_in', userId }, now());
      const whose = { role: null, userId, createdBy: null };
      return make(db, { kind: 'sign_in', ...whose }, signInSecs);
    },
    invite: ({ db }, { role, createdBy, lifetimeSecs }) =>
      make(db, { kind: 'invitation', role, userId: null, createdBy }, lifetimeSecs),
    find,
    async spend({ db }, token, kind) {
      const link = await find(db, token, kind);
      if (link === null || !(await useLink(db, link.linkId, now()))) throw wrongLink();
      return link;
    },
    async revokeInvitation({ db }, linkId) {
      const link = await findLink(db, realm, linkId);
      if (link?.kind !== 'invitation' || stateOf(link, now()) !== 'open') {
        throw notFound('open invitation');
      }
      await revokeLinks(db, { realm, linkId }, now());
    },
  };
}

/** The same, whatever is wrong. */
export function wrongLink(): AppError {
  const message = 'this link does not work, or not any more: ask for another one';
  return requestError('unauthorized', message);
}

export function invitationView(row: OneTimeLinkRow, now: string): InvitationView {
  const { linkId, role, createdBy, createdAt, expiresAt } = row;
  return {
    invitation_id: linkId,
    role: role ?? 'viewer',
    state: stateOf(row, now),
    created_by: createdBy,
    created_at: createdAt,
    expires_at: expiresAt,
  };
}

function stateOf(
  { usedAt, revokedAt, expiresAt }: OneTimeLinkRow,
  now: string,
): InvitationView['state'] {
  if (usedAt !== null) return 'used';
  if (revokedAt !== null) return 'revoked';
  return expiresAt <= now ? 'expired' : 'open';
}
