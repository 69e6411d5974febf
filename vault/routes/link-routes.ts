// What a one-time link opens: the first account, an account by invitation, a new password, one's own account.
import type { FastifyRequest } from 'fastify';

import { createWrongTokenLimit } from '#shared/door/wrong-token-limit.ts';
import { requestError } from '#shared/errors.ts';
import type { HttpApp } from '#shared/http-server.ts';
import { Answer } from '#shared/vault-api.ts';
import {
  JoinRequest,
  LoginLinkRequest,
  ResetPasswordRequest,
  SignedIn,
} from '#shared/vault-identity-api.ts';

import type { Db, OneTimeLinkRow } from '../database/tables.ts';
import type { WriteScope } from '../database/write-line.ts';
import type { LinkKind } from '../identity/link-store.ts';
import { wrongLink } from '../identity/one-time-links.ts';
import { hashPassword } from '../identity/password-hash.ts';
import { findUser, hasUsers } from '../identity/user-store.ts';
import { requireGoodPassword } from '../identity/users.ts';
import type { Role } from '../permission/role.ts';
import type { PeopleRouteOptions } from './people-routes.ts';
import { actorOfUser } from './sign-in-answer.ts';

export async function linkRoutes(app: HttpApp, options: PeopleRouteOptions): Promise<void> {
  const { realm, database, people, mutations, endings, signInAnswers, door, clock } = options;
  const { users, links } = people;
  const config = { access: 'public' } as const;
  const schema = { body: JoinRequest, response: { 201: Answer(SignedIn) } };
  const wrongLinks = createWrongTokenLimit(clock);
  const join = createJoin(options);

  /** Before a password is hashed, which is work that not everybody can ask for. */
  const requireOpen = async (
    request: FastifyRequest,
    token: string,
    kind: LinkKind,
  ): Promise<OneTimeLinkRow> => {
    const link = await links.find(database.reads, token, kind);
    if (link !== null) return link;
    const retryAfterSecs = wrongLinks.count(door.addressOf(request));
    if (retryAfterSecs === null) throw wrongLink();
    const message = 'too many links that do not work from this address';
    throw requestError('too_many_attempts', message, { retryAfterSecs });
  };

  app.post('/auth/setup', { config, schema }, async (request, reply) => {
    const { token } = request.body;
    await requireNoUsers(database.reads, realm);
    await requireOpen(request, token, 'setup');
    return join(request, reply, 'setup.done', async (scope) => {
      await requireNoUsers(scope.db, realm);
      await links.spend(scope, token, 'setup');
      return 'admin';
    });
  });
  app.post('/auth/accept-invitation', { config, schema }, async (request, reply) => {
    const { token } = request.body;
    await requireOpen(request, token, 'invitation');
    return join(request, reply, 'invitation.accepted', async (scope) => {
      const { role } = await links.spend(scope, token, 'invitation');
      return role ?? 'viewer';
    });
  });
  app.post(
    '/auth/reset-password',
    { config, schema: { body: ResetPasswordRequest } },
    async (request, reply) => {
      const { token, password } = request.body;
      const link = await requireOpen(request, token, 'password_reset');
      const { name } = await users.find(database.reads, link.userId ?? '');
      requireGoodPassword('password', password, name);
      const passwordHash = await hashPassword(password);
      return endings.run(request, reply, {
        action: 'user.password_reset',
        statusCode: 204,
        isNotKept: true,
        work: async (scope) => {
          const { userId } = await links.spend(scope, token, 'password_reset');
          const user = await findUser(scope.db, realm, userId ?? '');
          if (user === null || user.disabledAt !== null) throw wrongLink();
          await users.setPassword(scope, user, passwordHash, null);
          return { data: null, resource: `user:${user.userId}`, actor: actorOfUser(user) };
        },
      });
    },
  );
  app.post(
    '/auth/login-link',
    { config, schema: { body: LoginLinkRequest, response: { 200: Answer(SignedIn) } } },
    async (request, reply) => {
      const { token } = request.body;
      const { userId } = await requireOpen(request, token, 'sign_in');
      const credentials = await people.signIns.prepare(userId ?? '');
      return mutations.run(request, reply, {
        action: 'sign_in.begun',
        statusCode: 200,
        isNotKept: true,
        work: async (scope) => {
          const { linkId } = await links.spend(scope, token, 'sign_in');
          const user = await findUser(scope.db, realm, userId ?? '');
          if (user === null || user.disabledAt !== null) throw wrongLink();
          const change = await signInAnswers.begin(scope, request, user, credentials);
          return { ...change, details: { link_id: linkId } };
        },
      });
    },
  );
}

/** Makes an account of the request, in the role that `spendLink` gives, and signs it in. */
function createJoin({ people, mutations, signInAnswers, newId }: PeopleRouteOptions) {
  return async (
    request: FastifyRequest<{ Body: JoinRequest }>,
    reply: Parameters<typeof mutations.run>[1],
    action: string,
    spendLink: (scope: WriteScope) => Promise<Role>,
  ) => {
    const { name, display_name: displayName, password } = request.body;
    requireGoodPassword('password', password, name);
    const passwordHash = await hashPassword(password);
    const userId = newId('user');
    const credentials = await people.signIns.prepare(userId);
    return mutations.run(request, reply, {
      action,
      statusCode: 201,
      isNotKept: true,
      work: async (scope) => {
        const role = await spendLink(scope);
        const account = { userId, name, displayName, role, passwordHash };
        const user = await people.users.create(scope, account);
        const change = await signInAnswers.begin(scope, request, user, credentials);
        return { ...change, resource: `user:${userId}`, details: { name, role } };
      },
    });
  };
}

async function requireNoUsers(db: Db, realm: string): Promise<void> {
  if (!(await hasUsers(db, realm))) return;
  throw requestError('conflict', 'the vault is set up already: sign in, or ask for an invitation');
}
