// Keys for programs: everybody's own, and with keys:manage those of all. No key may do anything here.
import { requestError } from '#shared/errors.ts';
import type { HttpApp } from '#shared/http-server.ts';
import { Answer, answer, PageAnswer, pageAnswer } from '#shared/vault-api.ts';
import {
  defaultOverlapSecs,
  KeyChange,
  KeyListQuery,
  KeyMade,
  KeyParams,
  KeyRequest,
  KeyRotated,
  KeyRotationRequest,
  KeyView,
} from '#shared/vault-identity-api.ts';

import { keyView } from '../identity/api-keys.ts';
import { listKeys } from '../identity/key-store.ts';
import { can } from '../permission/can.ts';
import type { UserPrincipal } from '../permission/principal.ts';
import { pageOf } from './id-page.ts';
import { versionCheck } from './if-match.ts';
import { etagOf } from './mutation.ts';
import type { PeopleRouteOptions } from './people-routes.ts';
import { personMaking } from './person.ts';

const config = { access: 'keys:own' } as const;

export async function keyRoutes(app: HttpApp, options: PeopleRouteOptions): Promise<void> {
  const { realm, database, people, mutations, door } = options;
  const { keys } = people;

  app.get(
    '/keys',
    { config, schema: { querystring: KeyListQuery, response: { 200: PageAnswer(KeyView) } } },
    async (request, reply) => {
      const { limit, after, owner } = request.query;
      const ownerId = ownerShown(personMaking(request, door), owner);
      const rows = await listKeys(database.reads, { realm, ownerId }, after, limit + 1);
      const { items, next } = pageOf(rows, limit, ({ keyId }) => keyId);
      return reply.send(pageAnswer(items.map(keyView), next));
    },
  );
  app.post(
    '/keys',
    { config, schema: { body: KeyRequest, response: { 201: Answer(KeyMade) } } },
    async (request, reply) => {
      const person = personMaking(request, door);
      return mutations.run(request, reply, {
        action: 'key.created',
        statusCode: 201,
        isShownOnce: true,
        work: async (scope) => {
          const { row, token } = await keys.create(scope, person, request.body);
          const view = keyView(row);
          const { key_id: keyId, name, kind, scopes, version } = view;
          const headers = { location: `/api/v1/keys/${keyId}` };
          const [resource, details] = [`key:${keyId}`, { name, kind, scopes }];
          return { data: { ...view, key: token }, resource, details, version, headers };
        },
      });
    },
  );
  app.get(
    '/keys/:key_id',
    { config, schema: { params: KeyParams, response: { 200: Answer(KeyView) } } },
    async (request, reply) => {
      const person = personMaking(request, door);
      const key = await keys.find(database.reads, person, request.params.key_id);
      return reply.header('etag', etagOf(key.version)).send(answer(keyView(key)));
    },
  );
  changeRoutes(app, options);
}

function changeRoutes(app: HttpApp, { people, endings, door }: PeopleRouteOptions): void {
  const { keys } = people;

  app.patch(
    '/keys/:key_id',
    { config, schema: { params: KeyParams, body: KeyChange, response: { 200: Answer(KeyView) } } },
    async (request, reply) => {
      const check = versionCheck(request);
      const person = personMaking(request, door);
      return endings.run(request, reply, {
        action: 'key.changed',
        statusCode: 200,
        work: async (scope) => {
          const { key_id: keyId } = request.params;
          const key = await keys.change(scope, person, keyId, request.body, check);
          const details = { changed: Object.keys(request.body) };
          const { version } = key;
          return { data: keyView(key), resource: `key:${keyId}`, details, version };
        },
      });
    },
  );
  app.post(
    '/keys/:key_id/rotate',
    {
      config,
      schema: {
        params: KeyParams,
        body: KeyRotationRequest,
        response: { 201: Answer(KeyRotated) },
      },
      preValidation: (request, _reply, next) => {
        request.body ??= { overlap_secs: defaultOverlapSecs };
        next();
      },
    },
    async (request, reply) => {
      const person = personMaking(request, door);
      const { overlap_secs: overlapSecs } = request.body;
      return endings.run(request, reply, {
        action: 'key.rotated',
        statusCode: 201,
        isShownOnce: true,
        work: async (scope) => {
          const { key_id: keyId } = request.params;
          const rotated = await keys.rotate(scope, person, keyId, overlapSecs);
          const { row, token, previousValidUntil } = rotated;
          const data = {
            ...keyView(row),
            ...{ key: token, previous_valid_until: previousValidUntil },
          };
          const details = { overlap_secs: overlapSecs };
          return { data, resource: `key:${keyId}`, details, version: row.version };
        },
      });
    },
  );
  app.delete('/keys/:key_id', { config, schema: { params: KeyParams } }, async (request, reply) => {
    const check = versionCheck(request);
    const person = personMaking(request, door);
    return endings.run(request, reply, {
      action: 'key.revoked',
      statusCode: 204,
      work: async (scope) => {
        const { key_id: keyId } = request.params;
        const { name } = await keys.revoke(scope, person, keyId, check);
        return { data: null, resource: `key:${keyId}`, details: { name } };
      },
    });
  });
}

/** Null for all owners. */
function ownerShown(person: UserPrincipal, wanted: string | undefined): string | null {
  if (can(person, 'keys:manage')) return wanted ?? null;
  if (wanted === undefined || wanted === person.userId) return person.userId;
  throw requestError('forbidden', 'the keys of somebody else need the permission keys:manage');
}
