// What a browser gets that signs in, whichever way.
import type { FastifyRequest } from 'fastify';

import type { Clock } from '#shared/clock.ts';
import type { SignedIn } from '#shared/vault-identity-api.ts';

import type { VaultDoor } from '../access/vault-door.ts';
import type { AuditActor } from '../audit/audit-log.ts';
import type { UserRow } from '../database/tables.ts';
import type { WriteScope } from '../database/write-line.ts';
import type { Credentials, SignIns } from '../identity/sign-ins.ts';
import { userView } from '../identity/users.ts';
import type { Change } from './mutation.ts';
import type { PageOrigin } from './page-origin.ts';
import { signInCookies } from './sign-in-cookies.ts';

export type SignInAnswers = {
  /** Inside a transaction: the sign-in is made. */
  begin: (
    scope: WriteScope,
    request: FastifyRequest,
    user: UserRow,
    credentials: Credentials,
  ) => Promise<Change<SignedIn>>;
  /** Of a sign-in that there is. */
  answer: (request: FastifyRequest, user: UserRow, credentials: Credentials) => Change<SignedIn>;
};

const userAgentMax = 300;

export function createSignInAnswers(parts: {
  signIns: SignIns;
  origin: PageOrigin;
  door: Pick<VaultDoor, 'addressOf'>;
  clock: Clock;
}): SignInAnswers {
  const { signIns, origin, door, clock } = parts;

  const answer: SignInAnswers['answer'] = (request, user, credentials) => ({
    data: {
      access_token: credentials.accessToken,
      token_type: 'Bearer',
      expires_in_secs: Math.ceil((Date.parse(credentials.accessExpiresAt) - clock.now()) / 1000),
      expires_at: credentials.accessExpiresAt,
      csrf_token: credentials.csrfToken,
      user: userView(user),
    },
    resource: `sign_in:${credentials.familyId}`,
    actor: actorOfUser(user),
    headers: { 'set-cookie': signInCookies(credentials, origin.isSecure(request)) },
  });
  return {
    answer,
    async begin(scope, request, user, credentials) {
      const signInOrigin = {
        address: door.addressOf(request),
        userAgent: (request.headers['user-agent'] ?? '').slice(0, userAgentMax),
      };
      const signedIn = await signIns.begin(scope, user, credentials, signInOrigin);
      return answer(request, signedIn, credentials);
    },
  };
}

export function actorOfUser({ userId, name }: UserRow): AuditActor {
  return { kind: 'user', id: userId, name };
}
