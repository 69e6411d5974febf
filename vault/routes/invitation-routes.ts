// Invitations: links by which somebody makes an account of their own, in a role that an admin chose.
import { isoTime } from '#shared/clock.ts';
import type { HttpApp } from '#shared/http-server.ts';
import { Answer, PageAnswer, pageAnswer } from '#shared/vault-api.ts';
import {
  IdPageQuery,
  InvitationMade,
  InvitationParams,
  InvitationRequest,
  InvitationView,
} from '#shared/vault-identity-api.ts';

import { listInvitations } from '../identity/link-store.ts';
import { invitationView } from '../identity/one-time-links.ts';
import { pageOf } from './id-page.ts';
import type { PeopleRouteOptions } from './people-routes.ts';
import { personMaking } from './person.ts';

export async function invitationRoutes(app: HttpApp, options: PeopleRouteOptions): Promise<void> {
  const { realm, database, people, mutations, origin, door, clock } = options;
  const config = { access: 'users:manage' } as const;

  app.get(
    '/invitations',
    {
      config,
      schema: { querystring: IdPageQuery, response: { 200: PageAnswer(InvitationView) } },
    },
    async (request, reply) => {
      const { limit, after } = request.query;
      const rows = await listInvitations(database.reads, realm, after, limit + 1);
      const { items, next } = pageOf(rows, limit, ({ linkId }) => linkId);
      const now = isoTime(clock.now());
      return reply.send(
        pageAnswer(
          items.map((row) => invitationView(row, now)),
          next,
        ),
      );
    },
  );
  app.post(
    '/invitations',
    { config, schema: { body: InvitationRequest, response: { 201: Answer(InvitationMade) } } },
    async (request, reply) => {
      const { role, expires_in_secs: lifetimeSecs } = request.body;
      const { userId: createdBy } = personMaking(request, door);
      return mutations.run(request, reply, {
        action: 'invitation.created',
        statusCode: 201,
        isShownOnce: true,
        work: async (scope) => {
          const invitation = { role, createdBy, lifetimeSecs };
          const { row, token } = await people.links.invite(scope, invitation);
          const link = origin.urlOf(request, 'accept-invitation', token);
          const data = { ...invitationView(row, row.createdAt), token, link };
          return { data, resource: `invitation:${row.linkId}`, details: { role } };
        },
      });
    },
  );
  app.delete(
    '/invitations/:invitation_id',
    { config, schema: { params: InvitationParams } },
    async (request, reply) => {
      const { invitation_id: linkId } = request.params;
      return mutations.run(request, reply, {
        action: 'invitation.revoked',
        statusCode: 204,
        work: async (scope) => {
          await people.links.revokeInvitation(scope, linkId);
          return { data: null, resource: `invitation:${linkId}` };
        },
      });
    },
  );
}
