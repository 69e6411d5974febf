// Signing in with a name and a password, staying so, and signing out.
import type { FastifyReply, FastifyRequest } from 'fastify';

import { requestError } from '#shared/errors.ts';
import type { HttpApp } from '#shared/http-server.ts';
import { Answer } from '#shared/vault-api.ts';
import { LoginRequest, SignedIn } from '#shared/vault-identity-api.ts';

import type { UserRow } from '../database/tables.ts';
import type { Presented } from '../identity/sign-in-store.ts';
import { requireUnused, ReusedTokenError, signedOut } from '../identity/sign-ins.ts';
import { findUser, findUserByName, updateUser } from '../identity/user-store.ts';
import type { PeopleRouteOptions } from './people-routes.ts';
import { actorOfUser } from './sign-in-answer.ts';
import { endedCookies, readCookiePair } from './sign-in-cookies.ts';

export async function signInRoutes(app: HttpApp, options: PeopleRouteOptions): Promise<void> {
  const { realm, database, people, mutations, signInAnswers, door, log } = options;
  const { passwords, signIns } = people;
  const config = { access: 'public' } as const;

  app.post(
    '/auth/login',
    { config, schema: { body: LoginRequest, response: { 200: Answer(SignedIn) } } },
    async (request, reply) => {
      const { password } = request.body;
      const account = request.body.name.toLowerCase();
      const user = await findUserByName(database.reads, realm, account);
      const address = door.addressOf(request);
      const isRight = await passwords.isRight({ account, address, user, password });
      if (user === null || !isRight) {
        log.warn({ address, request_id: request.id }, 'sign-in refused');
        throw wrongPassword(reply);
      }
      const passwordHash = await passwords.betterHash(user, password);
      const credentials = await signIns.prepare(user.userId);
      return mutations.run(request, reply, {
        action: 'sign_in.begun',
        statusCode: 200,
        isNotKept: true,
        work: async (scope) => {
          const now = await findUser(scope.db, realm, user.userId);
          if (now === null || !isAsChecked(now, user)) throw wrongPassword(reply);
          if (passwordHash !== null) await updateUser(scope.db, user.userId, { passwordHash });
          return signInAnswers.begin(scope, request, now, credentials);
        },
      });
    },
  );
  app.post(
    '/auth/refresh',
    { config, schema: { response: { 200: Answer(SignedIn) } } },
    async (request, reply) => {
      const pair = readCookiePair(request);
      const csrfToken = pair.csrfToken ?? '';
      try {
        const presented = await signIns.find(database.reads, pair);
        requireUnused(presented);
        const credentials = await signIns.prepareNext(presented, csrfToken);
        return await mutations.run(request, reply, {
          action: 'sign_in.refreshed',
          statusCode: 200,
          isNotKept: true,
          work: async (scope) => {
            const current = await signIns.find(scope.db, pair);
            await signIns.rotate(scope, current, credentials);
            return signInAnswers.answer(request, current.user, credentials);
          },
        });
      } catch (err) {
        if (!(err instanceof ReusedTokenError)) throw err;
        await endReused(options, request, err.presented);
        throw signedOut();
      }
    },
  );
  app.post('/auth/logout', { config }, async (request, reply) => {
    const pair = readCookiePair(request);
    return options.endings.run(request, reply, {
      action: 'sign_in.ended',
      statusCode: 204,
      isNotKept: true,
      work: async (scope) => {
        const { family, user } = await signIns.find(scope.db, pair);
        await signIns.end(scope, family.familyId, 'signed_out');
        const headers = { 'set-cookie': endedCookies(options.origin.isSecure(request)) };
        const resource = `sign_in:${family.familyId}`;
        return { data: null, resource, actor: actorOfUser(user), headers };
      },
    });
  });
}

/** The answer is a refusal, but this is kept. */
async function endReused(
  { database, people, audit, identities, door, log }: PeopleRouteOptions,
  request: FastifyRequest,
  presented: Presented,
): Promise<void> {
  const address = door.addressOf(request);
  const { familyId, userId } = presented.family;
  await database.write(async (scope) => {
    if (!(await people.signIns.endReused(scope, presented))) return;
    await audit.append(scope.db, {
      ...{ action: 'sign_in.reuse_detected', actor: { kind: 'nobody', id: null, name: null } },
      ...{ address, resource: `sign_in:${familyId}` },
      details: { user_id: userId, user: presented.user.name },
    });
  });
  await identities.changed();
  log.warn({ address, request_id: request.id, user_id: userId }, 'a refresh token was used twice');
}

function isAsChecked(now: UserRow, checked: UserRow): boolean {
  return now.disabledAt === null && now.passwordHash === checked.passwordHash;
}

// The same answer whatever is wrong, so that it tells nobody which names there are.
function wrongPassword(reply: FastifyReply): Error {
  reply.header('www-authenticate', 'Bearer');
  return requestError('unauthorized', 'the name or the password is wrong');
}
