import { requestError } from '#shared/errors.ts';
// Accounts, as admins see to them.
import type { HttpApp } from '#shared/http-server.ts';
import { Answer, answer, PageAnswer, pageAnswer } from '#shared/vault-api.ts';
import {
  IdPageQuery,
  PasswordResetView,
  UserChange,
  UserParams,
  UserRequest,
  UserView,
} from '#shared/vault-identity-api.ts';

import { hashPassword } from '../identity/password-hash.ts';
import { listUsers } from '../identity/user-store.ts';
import { requireGoodPassword, userView } from '../identity/users.ts';
import { pageOf } from './id-page.ts';
import { versionCheck } from './if-match.ts';
import { etagOf } from './mutation.ts';
import type { PeopleRouteOptions } from './people-routes.ts';
import { personMaking } from './person.ts';

export async function userRoutes(app: HttpApp, options: PeopleRouteOptions): Promise<void> {
  const { realm, database, people, mutations, endings, newId } = options;
  const { users } = people;
  const config = { access: 'users:manage' } as const;

  app.get(
    '/users',
    { config, schema: { querystring: IdPageQuery, response: { 200: PageAnswer(UserView) } } },
    async (request, reply) => {
      const { limit, after } = request.query;
      const rows = await listUsers(database.reads, realm, after, limit + 1);
      const { items, next } = pageOf(rows, limit, ({ userId }) => userId);
      return reply.send(pageAnswer(items.map(userView), next));
    },
  );
  app.post(
    '/users',
    { config, schema: { body: UserRequest, response: { 201: Answer(UserView) } } },
    async (request, reply) => {
      const { name, display_name: displayName, role, password } = request.body;
      requireGoodPassword('password', password, name);
      const passwordHash = await hashPassword(password);
      const account = { userId: newId('user'), name, displayName, role, passwordHash };
      return mutations.run(request, reply, {
        action: 'user.created',
        statusCode: 201,
        isNotKept: true,
        work: async (scope) => {
          const user = await users.create(scope, account);
          const { userId, version } = user;
          const headers = { location: `/api/v1/users/${userId}` };
          const resource = `user:${userId}`;
          return { data: userView(user), resource, details: { name, role }, version, headers };
        },
      });
    },
  );
  app.get(
    '/users/:user_id',
    { config, schema: { params: UserParams, response: { 200: Answer(UserView) } } },
    async (request, reply) => {
      const user = await users.find(database.reads, request.params.user_id);
      return reply.header('etag', etagOf(user.version)).send(answer(userView(user)));
    },
  );
  app.patch(
    '/users/:user_id',
    {
      config,
      schema: { params: UserParams, body: UserChange, response: { 200: Answer(UserView) } },
    },
    async (request, reply) => {
      const check = versionCheck(request);
      const { user_id: userId } = request.params;
      return endings.run(request, reply, {
        action: 'user.changed',
        statusCode: 200,
        work: async (scope) => {
          const user = await users.change(scope, userId, request.body, check);
          const { role, disabled } = request.body;
          const details = {
            changed: Object.keys(request.body),
            ...(role === undefined ? {} : { role }),
            ...(disabled === undefined ? {} : { disabled }),
          };
          const { version } = user;
          return { data: userView(user), resource: `user:${userId}`, details, version };
        },
      });
    },
  );
  passwordResetRoute(app, options);
}

function passwordResetRoute(
  app: HttpApp,
  { people, mutations, origin, door }: PeopleRouteOptions,
): void {
  app.post(
    '/users/:user_id/password-reset',
    {
      config: { access: 'users:manage' },
      schema: { params: UserParams, response: { 201: Answer(PasswordResetView) } },
    },
    async (request, reply) => {
      const { user_id: userId } = request.params;
      const maker = personMaking(request, door);
      return mutations.run(request, reply, {
        action: 'user.password_reset_offered',
        statusCode: 201,
        isShownOnce: true,
        work: async (scope) => {
          const user = await people.users.find(scope.db, userId);
          if (user.disabledAt !== null) throw requestError('conflict', 'the user is disabled');
          const made = await people.links.offerPasswordReset(scope, user, maker.userId);
          const { token, row } = made;
          const link = origin.urlOf(request, 'reset-password', token);
          const data = { user_id: userId, expires_at: row.expiresAt, token, link };
          return { data, resource: `user:${userId}`, details: { link_id: row.linkId } };
        },
      });
    },
  );
}
