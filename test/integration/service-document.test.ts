// The document and the page of a service that is not the gateway: with its own prefix, form of failures, and rules of who may call what.
import { Type } from 'typebox';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { apiDocumentRoutes } from '#shared/api-document/api-document-routes.ts';
import { createApiDocument } from '#shared/api-document/api-document.ts';
import { docsRoutes } from '#shared/api-document/docs-routes.ts';
import type { DocumentParts } from '#shared/api-document/document-parts.ts';
import type { OpenApiDocument } from '#shared/api-document/openapi.ts';
import { requestErrors } from '#shared/errors.ts';
import { createHttpServer } from '#shared/http-server.ts';
import { createLog } from '#shared/log.ts';

const meanings = { invalid_request: 'it is wrong', unauthorized: 'sign in', not_found: 'none' };

const parts: DocumentParts = {
  service: 'vault',
  info: { title: 'Vault', version: '1' },
  tags: { agents: 'Agents.', document: 'This document.', unused: 'Nothing.' },
  operations: {
    'GET /api/v1/agents/{name}': {
      ...{ id: 'getAgent', tag: 'agents', summary: 'Read an agent', errors: ['not_found'] },
      answers: { 200: { description: 'The agent.' } },
    },
    'GET /api/openapi.json': {
      ...{ id: 'getApiDocument', tag: 'document', summary: 'This document' },
      answers: { 200: { description: 'It.' } },
    },
  },
  accessOf: ({ config: { guard } }) =>
    guard === 'public'
      ? { security: [], errors: ['invalid_request'] }
      : { security: [{ session: [] }, { apiKey: [] }], errors: ['unauthorized'] },
  failures: { envelope: { success: false }, kinds: requestErrors, meanings },
  requestHeaders: {},
  answerHeaders: {},
  securitySchemes: {},
};

const { app } = createHttpServer({
  ...{ log: createLog({ level: 'silent', service: 'vault' }), errorEnvelope: { success: false } },
  ...{ bodyLimitBytes: 1000, requestTimeoutMs: 1000, newId: () => 'req_1' },
});
let document: OpenApiDocument;

beforeAll(async () => {
  const places = { prefix: '/api', config: { guard: 'public' } } as const;
  const served = createApiDocument(app, async () => parts);
  await app.register(apiDocumentRoutes, { ...places, document: served });
  await app.register(docsRoutes, places);
  const Agent = Type.Object({ success: Type.Literal(true), data: Type.Object({}) });
  const schema = { response: { 200: Agent } };
  app.get('/api/v1/agents/:name', { config: { guard: 'app' }, schema }, () => ({}) as never);
  document = (await app.inject('/api/openapi.json')).json();
});

afterAll(() => app.close());

test('the document is served under the prefix, with the routes as they are called', () => {
  expect(document.info.title).toBe('Vault');
  expect(Object.keys(document.paths)).toEqual(['/api/v1/agents/{name}', '/api/openapi.json']);
  expect(document.tags?.map(({ name }) => name)).toEqual(['agents', 'document']);
});

test('a route is secured as the service says, and fails with its codes', () => {
  const read = document.paths['/api/v1/agents/{name}']?.['get'];
  expect(read?.security).toEqual([{ session: [] }, { apiKey: [] }]);
  expect(Object.keys(read?.responses ?? {})).toEqual(['200', '401', '404', 'default']);
  expect(document.paths['/api/openapi.json']?.['get']?.security).toEqual([]);
});

test('its failures have the form of the service', () => {
  const { ErrorAnswer } = document.components.schemas ?? {};
  expect(Object.keys(ErrorAnswer?.properties ?? {})).toEqual(['success', 'error', 'request_id']);
  expect(document.components.examples?.['unauthorized']?.value).toMatchObject({
    ...{ success: false, error: { code: 'unauthorized', message: 'sign in' } },
  });
  expect(Object.keys(document.components.headers ?? {})).toEqual(['X-Request-Id', 'Retry-After']);
});

test('the page and all that it asks for is beside the document', async () => {
  const page = await app.inject('/api/docs');
  const links = [...page.body.matchAll(/\s(?:src|href)="([^"]*)"/g)].map(([, link = '']) => link);
  expect(links).toContain('openapi.json');
  for (const link of links) {
    const { statusCode } = await app.inject(`/api/${link}`);
    expect([link, statusCode]).toEqual([link, 200]);
  }
});

test('an error that nobody explained is a mistake of ours', async () => {
  const { app: other } = createHttpServer({
    ...{ log: createLog({ level: 'silent', service: 'vault' }), errorEnvelope: { success: false } },
    ...{ bodyLimitBytes: 1000, requestTimeoutMs: 1000, newId: () => 'req_1' },
  });
  const untold = createApiDocument(other, async () => ({
    ...{ ...parts, operations },
    accessOf: () => ({ security: [], errors: ['no_such_code'] }),
  }));
  const operations = { 'GET /': { id: 'a', tag: 'agents', summary: 'A', answers: {} } };
  other.get('/', { config: { guard: 'public' } }, () => '');
  await expect(untold.text()).rejects.toThrow('nothing says what the error no_such_code is');
  await other.close();
});
