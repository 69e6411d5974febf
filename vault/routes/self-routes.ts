import { isoTime } from '#shared/clock.ts';
// What everybody may do with their own account.
import { requestError } from '#shared/errors.ts';
import type { HttpApp } from '#shared/http-server.ts';
import { Answer, answer, PageAnswer, pageAnswer } from '#shared/vault-api.ts';
import {
  IdPageQuery,
  MeChange,
  MeView,
  PasswordChange,
  SignInParams,
  SignInView,
  UserView,
} from '#shared/vault-identity-api.ts';

import { idOf } from '../access/vault-door.ts';
import type { RefreshFamilyRow, UserRow } from '../database/tables.ts';
import { hashPassword } from '../identity/password-hash.ts';
import { listOpenFamilies } from '../identity/sign-in-store.ts';
import { requireGoodPassword, userView } from '../identity/users.ts';
import { can } from '../permission/can.ts';
import { permissions } from '../permission/permission.ts';
import { agentsOf, personOf } from '../permission/principal.ts';
import type { Principal } from '../permission/principal.ts';
import { pageOf } from './id-page.ts';
import { versionCheck } from './if-match.ts';
import { etagOf } from './mutation.ts';
import type { PeopleRouteOptions } from './people-routes.ts';
import { personMaking } from './person.ts';

export async function selfRoutes(app: HttpApp, options: PeopleRouteOptions): Promise<void> {
  const { database, people, mutations, door } = options;
  // A key is never given it.
  const config = { access: 'self:write' } as const;

  app.get(
    '/auth/me',
    { config: { access: 'self:read' }, schema: { response: { 200: Answer(MeView) } } },
    async (request, reply) => {
      const principal = door.principalOf(request);
      const person = await people.users.find(database.reads, personOf(principal));
      const endMs = door.endOf(request);
      if (principal.kind === 'user') reply.header('etag', etagOf(person.version));
      return reply.send(
        answer({
          ...meOf(principal, person),
          sign_in_id: door.familyOf(request),
          expires_at: endMs === null ? null : isoTime(endMs),
        }),
      );
    },
  );
  app.patch(
    '/auth/me',
    { config, schema: { body: MeChange, response: { 200: Answer(UserView) } } },
    async (request, reply) => {
      const check = versionCheck(request);
      const { userId } = personMaking(request, door);
      return mutations.run(request, reply, {
        action: 'user.changed',
        statusCode: 200,
        work: async (scope) => {
          const user = await people.users.change(scope, userId, request.body, check);
          const details = { changed: Object.keys(request.body) };
          const { version } = user;
          return { data: userView(user), resource: `user:${userId}`, details, version };
        },
      });
    },
  );
  passwordRoute(app, options);
  signInListRoutes(app, options);
}

function passwordRoute(app: HttpApp, options: PeopleRouteOptions): void {
  const { database, people, endings, door } = options;
  const { users, passwords } = people;

  app.post(
    '/auth/password',
    { config: { access: 'self:write' }, schema: { body: PasswordChange } },
    async (request, reply) => {
      const { userId, name } = personMaking(request, door);
      const { current_password: password, new_password: wanted } = request.body;
      const user = await users.find(database.reads, userId);
      const address = door.addressOf(request);
      requireGoodPassword('new_password', wanted, name);
      if (!(await passwords.isRight({ account: name, address, user, password }))) throw wrong();
      const passwordHash = await hashPassword(wanted);
      return endings.run(request, reply, {
        action: 'user.password_changed',
        statusCode: 204,
        isNotKept: true,
        work: async (scope) => {
          const now = await users.find(scope.db, userId);
          if (now.passwordHash !== user.passwordHash) throw wrong();
          await users.setPassword(scope, now, passwordHash, door.familyOf(request));
          return { data: null, resource: `user:${userId}` };
        },
      });
    },
  );
}

function signInListRoutes(app: HttpApp, options: PeopleRouteOptions): void {
  const { database, people, endings, door, clock } = options;
  const config = { access: 'self:write' } as const;

  app.get(
    '/auth/sign-ins',
    { config, schema: { querystring: IdPageQuery, response: { 200: PageAnswer(SignInView) } } },
    async (request, reply) => {
      const { limit, after } = request.query;
      const { userId } = personMaking(request, door);
      const of = { userId, now: isoTime(clock.now()) };
      const rows = await listOpenFamilies(database.reads, of, after, limit + 1);
      const { items, next } = pageOf(rows, limit, ({ familyId }) => familyId);
      const current = door.familyOf(request);
      return reply.send(
        pageAnswer(
          items.map((row) => signInView(row, current)),
          next,
        ),
      );
    },
  );
  app.delete(
    '/auth/sign-ins/:sign_in_id',
    { config, schema: { params: SignInParams } },
    async (request, reply) => {
      const { sign_in_id: familyId } = request.params;
      const { userId } = personMaking(request, door);
      return endings.run(request, reply, {
        action: 'sign_in.ended',
        statusCode: 204,
        work: async (scope) => {
          await people.signIns.endOwn(scope, userId, familyId);
          return { data: null, resource: `sign_in:${familyId}` };
        },
      });
    },
  );
}

function meOf(
  principal: Principal,
  person: UserRow,
): Pick<MeView, 'principal' | 'permissions' | 'user'> {
  const agents = agentsOf(principal);
  const [agentId] = agents ?? [];
  return {
    principal: {
      ...{ kind: principal.kind, id: idOf(principal), name: principal.name, role: person.role },
      ...{ owner_id: person.userId, agents: agents === null ? null : [...agents] },
    },
    permissions: permissions.filter(
      (each) => can(principal, each) || can(principal, each, { agentId }),
    ),
    user: principal.kind === 'user' ? userView(person) : null,
  };
}

function signInView(row: RefreshFamilyRow, currentId: string | null): SignInView {
  const { familyId, address, userAgent, createdAt, expiresAt } = row;
  return {
    sign_in_id: familyId,
    address,
    user_agent: userAgent,
    created_at: createdAt,
    expires_at: expiresAt,
    is_current: familyId === currentId,
  };
}

// Not a 401, at which a page would ask for another token.
function wrong(): Error {
  return requestError('forbidden', 'the current password is wrong', {
    details: { field: 'current_password' },
  });
}
