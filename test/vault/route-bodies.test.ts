// Bodies that no route of the vault takes, whatever the database: IF-01, IF-02, IF-06.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import type { DocumentedOperation } from '../support/committed-api.ts';
import { invalidUtf8, manyKeys, nested, wrongTypes } from '../support/hostile-bodies.ts';
import { createInputTrial, withMember } from '../support/vault-input.ts';
import { startRouteWorld, takesJson, vaultRoutes } from '../support/vault-routes.ts';
import type { RouteWorld } from '../support/vault-routes.ts';

const jsonRoutes = vaultRoutes.filter(takesJson);
const mutating = vaultRoutes.filter(({ method }) => method !== 'GET');
const takesForm = ({ path }: DocumentedOperation): boolean => path.endsWith('/attachments');

let world: RouteWorld;
const { requestTo, faultsOf } = createInputTrial(() => world);

beforeAll(async () => {
  world = await startRouteWorld('sqlite');
});

afterAll(() => world.close());

describe('IF-01', () => {
  test.each(jsonRoutes)('$name refuses JSON that is made to hurt', async (route) => {
    const request = await requestTo(route);
    const [key = 'x'] = Object.keys(request.body as object);
    const bodies = [
      ...[1e3, 1e5, 4e5].map((depth) => withMember(request, `"x":${nested(depth)}`)),
      nested(1e5),
      ...['1e309', '-1e309', 'NaN', '01'].map((number) => withMember(request, `"x":${number}`)),
      withMember(request, '"__proto__":{"x":1}'),
      withMember(request, '"constructor":{"prototype":{"x":1}}'),
      withMember(request, `"${key}":null`),
      withMember(request, '"x":1,"\\u0078":2'),
      ...[
        '',
        '{',
        '[]',
        'null',
        '"x"',
        '0',
        '\uFEFF{}',
        "{'x':1}",
        `${JSON.stringify(request.body)} x`,
      ],
    ];
    for (const body of bodies.filter((each) => !isNone(route, each)))
      expect(await faultsOf(route, { ...request, body }, [400])).toEqual([]);
  });

  test.each(jsonRoutes)('$name refuses many keys', async (route) => {
    const request = await requestTo(route);
    const body = withMember(request, `"x":${manyKeys(9e4)}`);
    expect(await faultsOf(route, { ...request, body }, [400, 413])).toEqual([]);
    expect(await faultsOf(route, { ...request, body: manyKeys(9e4) }, [400, 413])).toEqual([]);
  });

  test.each(jsonRoutes)('$name takes no body above its limit', async (route) => {
    const request = await requestTo(route);
    const body = withMember(request, `"x":"${'x'.repeat(4 * 2 ** 20)}"`);
    expect(await faultsOf(route, { ...request, body }, [413])).toEqual([]);
  });

  test('minus zero is zero', async () => {
    const { token } = world.admin;
    const put = { method: 'PUT', body: '{"health":"ok","load":-0}' };
    const { text } = await world.call(token, '/hosts/zero', put);
    expect(text).toContain('"load":0');
    expect((await world.call(token, '/agents?limit=-0')).status).toBe(400);
  });
});

describe('IF-02', () => {
  test.each(jsonRoutes)('$name refuses what is no text', async (route) => {
    const request = await requestTo(route);
    for (const [, bytes] of invalidUtf8) {
      const [before = '', after = ''] = withMember(request, '"x":"@"').split('@');
      const body = Buffer.concat([Buffer.from(before), Buffer.from(bytes), Buffer.from(after)]);
      expect(await faultsOf(route, { ...request, body }, [400])).toEqual([]);
    }
    for (const text of ['\\u0000', '\\ud800', '\\udc00\\ud800']) {
      for (const member of [`"x":"${text}"`, `"${text}":1`]) {
        const body = withMember(request, member);
        expect(await faultsOf(route, { ...request, body }, [400])).toEqual([]);
      }
    }
  });
});

describe('IF-06', () => {
  test.each(jsonRoutes)('$name takes JSON in UTF-8 and nothing else', async (route) => {
    const request = await requestTo(route);
    for (const headers of wrongTypes) {
      const sent = { ...request.headers, ...headers };
      expect(await faultsOf(route, { ...request, headers: sent }, [415])).toEqual([]);
    }
  });

  const others = mutating.filter((route) => !takesJson(route) && !takesForm(route));

  test.each(others)('$name takes no body of another type', async (route) => {
    const request = await requestTo(route);
    const headers = { ...request.headers, 'content-type': 'text/plain' };
    expect(await faultsOf(route, { ...request, headers, body: 'hello' }, [415])).toEqual([]);
  });

  test.each(mutating.filter(takesForm))('$name takes a form and nothing else', async (route) => {
    const request = await requestTo(route);
    for (const headers of wrongTypes.filter(
      ({ 'content-type': type = '' }) => !type.startsWith('multipart'),
    )) {
      const sent = { ...request.headers, ...headers };
      expect(await faultsOf(route, { ...request, headers: sent }, [400, 415])).toEqual([]);
    }
  });
});

test('nothing of all that is a bug', () => {
  expect(world.logged().filter(({ level }) => level === 'error' || level === 'fatal')).toEqual([]);
});

/** Where a body may be left out. */
function isNone({ operation }: DocumentedOperation, body: string): boolean {
  return operation.requestBody?.required !== true && (body === '' || body === 'null');
}
