// Values that a database may choke on, in every route of the vault: IF-01, IF-02, IF-08.
import { request as httpRequest } from 'node:http';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import type { DocumentedOperation } from '../support/committed-api.ts';
import { oddTexts } from '../support/hostile-bodies.ts';
import { vaultDatabases } from '../support/vault-databases.ts';
import { createInputTrial } from '../support/vault-input.ts';
import { startRouteWorld, takesJson, vaultRoutes } from '../support/vault-routes.ts';
import type { RouteWorld } from '../support/vault-routes.ts';
import { sha256Of } from '../support/vault-uploads.ts';

const jsonRoutes = vaultRoutes.filter(takesJson);
const withPathValue = vaultRoutes.filter(({ path }) => path.includes('{'));
const withQuery = vaultRoutes.filter((route) => queryFields(route).length > 0);

type Field = { name: string; field: string; route: DocumentedOperation };

describe.each(vaultDatabases)('on %s', (kind) => {
  let world: RouteWorld;
  const { requestTo, send, faultsOf } = createInputTrial(() => world);

  beforeAll(async () => {
    world = await startRouteWorld(kind);
  });

  afterAll(() => world.close());

  describe('IF-01', () => {
    test.each(jsonRoutes.flatMap(integersOfBody))(
      '$name takes no $field that is no number of it',
      async ({ field, route }) => {
        const { body, ...request } = await world.goodRequest(route);
        for (const number of ['1e300', '9007199254740993', '99999999999999999999', '-1', '0.5']) {
          const text = JSON.stringify({ ...(body as object), [field]: '@' });
          const other = { ...request, body: text.replace('"@"', number) };
          expect(await faultsOf(route, other, [400, 409])).toEqual([]);
        }
      },
    );
  });

  describe('IF-02', () => {
    test.each(jsonRoutes)('$name refuses a NUL in each of its texts', async (route) => {
      const request = await requestTo(route);
      const fields = Object.entries(request.body as object);
      for (const [name] of fields.filter(([, value]) => typeof value === 'string')) {
        for (const text of ['a\0', '\ud800']) {
          const body = { ...(request.body as object), [name]: text };
          expect(await faultsOf(route, { ...request, body }, [400])).toEqual([]);
        }
      }
    });

    test.each(withQuery)('$name refuses what is no text in its query', async (route) => {
      const request = await requestTo(route);
      for (const { field: name } of queryFields(route)) {
        for (const value of ['%00', 'a%00b', '%ED%A0%80', '%ff', '%']) {
          const query = `${name}=${value}`;
          const { status } = await send(route, { ...request, query });
          expect([query, status < 500]).toEqual([query, true]);
        }
        expect(await faultsOf(route, { ...request, query: `${name}=%00` }, [400])).toEqual([]);
      }
    });

    const numbers = withQuery.flatMap(queryFields).filter(({ type }) => type === 'integer');

    test.each(numbers)(
      '$name takes no $field that is no number of it',
      async ({ field, route }) => {
        const request = await requestTo(route);
        for (const number of [
          '1e300',
          '9007199254740993',
          '9'.repeat(30),
          '-1',
          '0.5',
          '1e309',
          '',
        ]) {
          // A stream of events that do not exist yet is refused as well.
          expect(
            await faultsOf(route, { ...request, query: `${field}=${number}` }, [400, 410]),
          ).toEqual([]);
        }
      },
    );

    test.each(oddTexts)('%s comes back as it was, wherever it may stand', async (_name, text) => {
      const { token } = world.admin;
      const agentId = await world.agent(token);
      const patch = { description: text, labels: [text.slice(0, 50).toWellFormed()] };
      const headers = { 'if-match': '"1"' };
      await world.call(token, `/agents/${agentId}`, { method: 'PATCH', body: patch, headers });
      const status = { status: 'working', status_text: text };
      await world.call(token, `/agents/${agentId}/status`, { method: 'PUT', body: status });
      const agent = (await world.call(token, `/agents/${agentId}`)).body.data;
      expect(agent).toMatchObject({ ...patch, status_text: text });

      const metadata = { [text.slice(0, 20).toWellFormed()]: text };
      const event = { event_type: 'user_message', content: text, metadata };
      const posted = await world.post(token, agentId, event);
      const read = (await world.call(token, `/events/${posted.event_id}`)).body.data;
      expect(read).toMatchObject({ content: text, metadata });

      const report = { health: 'ok', [text.slice(0, 20).toWellFormed()]: text };
      await world.call(token, '/hosts/odd', { method: 'PUT', body: report });
      expect((await world.call(token, '/hosts/odd')).body.data.report).toEqual(report);
    });

    test('a megabyte comes back as it was, also when it arrives in pieces that cut characters', async () => {
      const { token } = world.admin;
      const agentId = await world.agent(token);
      const content = '𝄞é€\u{10FFFF}'
        .repeat(2 ** 17)
        .slice(0, 2 ** 20)
        .toWellFormed();
      const bytes = Buffer.from(JSON.stringify({ event_type: 'user_message', content }));
      const path = `/api/v1/agents/${agentId}/events`;
      const { seq } = await postInPieces(`${world.url}${path}`, token, bytes);
      const { body } = await world.call(token, `/agents/${agentId}/events?since=${seq - 1}`);
      expect(sha256Of(body.data[0].content)).toBe(sha256Of(content));
    });
  });

  describe('IF-08', () => {
    test.each(withPathValue)('$name finds nothing by an id that is none', async (route) => {
      const request = await requestTo(route);
      const ids = [
        ...['../../x', 'A'.repeat(30), "' or 1=1 --", '%', '*', ' ', '\u202E', 'é'],
        ...['a\0', '\0', 'x'.repeat(2 ** 20), 'agent_', 'evt_01', '[object Object]', '__proto__'],
        ...Object.values(request.values ?? {}).flatMap((id) => [
          ...[id.toUpperCase(), `${id} `, `${id}/`, `${id}\n`, `${id}%00`, `${id}x`],
        ]),
      ];
      const encoded = ids.filter((id) => !isHostName(route, id)).map(encodeURIComponent);
      for (const id of [...encoded, '%00', '%ff', '%c0%80', '%ED%A0%80', '%2e%2e%2f']) {
        const values = mapValues(request.values ?? {}, () => id);
        const answer = await world.send(
          route,
          { ...request, values },
          {
            ...{ token: world.admin.token, from: '127.0.0.1' },
          },
        );
        const told = [id.slice(0, 100), answer.status, answer.text.slice(0, 300)];
        expect([...told, [400, 404].includes(answer.status)]).toEqual([...told, true]);
        expect(answer.body).toMatchObject({ success: false, error: { retryable: false } });
      }
    });

    const withId = withPathValue.filter(({ path }) => path.includes('_id}'));

    test.each(withId)('$name finds nothing by the id of another kind', async (route) => {
      const request = await requestTo(route);
      const suffix = '01m7yjjfcksfhngdhy16rrxw3j';
      for (const kindOfId of ['agent', 'evt', 'att', 'key', 'user', 'family', 'invitation']) {
        const values = mapValues(request.values ?? {}, () => `${kindOfId}_${suffix}`);
        expect(await faultsOf(route, { ...request, values }, [400, 404])).toEqual([]);
      }
    });
  });

  test('nothing of all that is a bug', async () => {
    const { audit, database } = world.vault;
    expect(await audit.verify(database.reads)).toMatchObject({ ok: true });
    expect(world.logged().filter(({ level }) => level === 'error' || level === 'fatal')).toEqual(
      [],
    );
  });
});

function queryFields(route: DocumentedOperation): (Field & { type: unknown })[] {
  return (route.operation.parameters ?? []).flatMap((each) =>
    'in' in each && each.in === 'query'
      ? [{ name: route.name, field: each.name, type: each.schema?.type, route }]
      : [],
  );
}

function integersOfBody(route: DocumentedOperation): Field[] {
  const { schema = {} } = route.operation.requestBody?.content['application/json'] ?? {};
  return Object.entries(schema.properties ?? {})
    .filter(([, { type }]) => type === 'integer')
    .map(([field]) => ({ name: route.name, field, route }));
}

/** A watcher may call its host what it likes. */
function isHostName({ path }: DocumentedOperation, id: string): boolean {
  return path.includes('/hosts/') && /^[a-z0-9._-]{1,64}$/.test(id);
}

function mapValues(
  values: Readonly<Record<string, string>>,
  change: (value: string) => string,
): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, change(value)]));
}

async function postInPieces(url: string, token: string, bytes: Buffer): Promise<{ seq: number }> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const request = httpRequest(url, { method: 'POST', headers }, (response) => {
    let text = '';
    response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    response.on('end', () => resolve(text));
  }).on('error', reject);
  // A prime: most pieces end within a character.
  const size = 65_521;
  for (let at = 0; at < bytes.length; at += size) {
    await new Promise((done) => void request.write(bytes.subarray(at, at + size), done));
  }
  request.end();
  return JSON.parse(await promise).data;
}
