// All routes about people and their keys.
import { fastifyCookie } from '@fastify/cookie';

import type { Clock } from '#shared/clock.ts';
import type { HttpApp } from '#shared/http-server.ts';
import { newId } from '#shared/ids.ts';
import type { NewId } from '#shared/ids.ts';
import type { Log } from '#shared/log.ts';

import type { VaultDoor } from '../access/vault-door.ts';
import type { AuditLog } from '../audit/audit-log.ts';
import type { VaultDatabase } from '../database/vault-database.ts';
import type { StreamNotices } from '../feeds/stream-notices.ts';
import type { Identities } from '../identity/identities.ts';
import type { People } from '../people.ts';
import { invitationRoutes } from './invitation-routes.ts';
import { keyRoutes } from './key-routes.ts';
import { linkRoutes } from './link-routes.ts';
import type { Mutations } from './mutation.ts';
import { createPageOrigin } from './page-origin.ts';
import type { PageOrigin } from './page-origin.ts';
import { selfRoutes } from './self-routes.ts';
import { createSignInAnswers } from './sign-in-answer.ts';
import type { SignInAnswers } from './sign-in-answer.ts';
import { signInRoutes } from './sign-in-routes.ts';
import { userRoutes } from './user-routes.ts';

type Common = {
  realm: string;
  database: Pick<VaultDatabase, 'reads' | 'write'>;
  audit: AuditLog;
  people: People;
  identities: Pick<Identities, 'changed'>;
  mutations: Mutations;
  notices: Pick<StreamNotices, 'tellPeople'>;
  door: VaultDoor;
  clock: Clock;
  log: Log;
};

export type PeopleRouteOptions = Common & {
  /** Of what may end tokens: open streams are looked at again. */
  endings: Mutations;
  signInAnswers: SignInAnswers;
  origin: PageOrigin;
  newId: NewId;
};

export async function peopleRoutes(
  app: HttpApp,
  common: Common & { publicUrl: string | null; trustedProxies: readonly string[] },
): Promise<void> {
  const { people, notices, identities, door, clock } = common;
  const origin = createPageOrigin(common);
  const mutations: Mutations = {
    ...common.mutations,
    async run(request, reply, mutation) {
      const answered = await common.mutations.run(request, reply, mutation);
      notices.tellPeople();
      return answered;
    },
  };
  const endings: Mutations = {
    ...mutations,
    // Nobody reads on with rights that are gone, once it was said that they are.
    run: (request, reply, mutation) =>
      mutations.run(request, reply, { ...mutation, settled: identities.changed }),
  };
  const signInAnswers = createSignInAnswers({ signIns: people.signIns, origin, door, clock });
  const options: PeopleRouteOptions = {
    ...common,
    mutations,
    endings,
    signInAnswers,
    origin,
    newId,
  };
  // Its functions work only once it is registered: see sign-in-cookies.ts.
  await app.register(fastifyCookie, { hook: false });
  await app.register(signInRoutes, options);
  await app.register(linkRoutes, options);
  await app.register(selfRoutes, options);
  await app.register(userRoutes, options);
  await app.register(invitationRoutes, options);
  await app.register(keyRoutes, options);
}
