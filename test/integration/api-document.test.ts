// The document that the gateway serves: whole, true to itself, and the one that is committed.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { createHttpServer } from '#shared/http-server.ts';
import { createLog } from '#shared/log.ts';

import { breakingMessage, unannounced } from '../../cli/openapi/announcement.ts';
import { breakingChanges } from '../../cli/openapi/breaking-changes.ts';
import { createGatewayDocument } from '../../gateway/api-document/gateway-document.ts';
import { describeApiDocument } from '../support/api-document-suite.ts';
import { gatewayApi } from '../support/gateway-api.ts';
import type { Answer } from '../support/gateway-client.ts';
import { projectDir, startTestGateway } from '../support/test-gateway.ts';
import type { TestGateway } from '../support/test-gateway.ts';

let gateway: TestGateway;
let served: Answer;

beforeAll(async () => {
  gateway = await startTestGateway();
  served = await gateway.fetch('/openapi.json');
});

afterAll(() => gateway.close());

function read(file: string): string {
  return readFileSync(join(projectDir, file), 'utf8');
}

test('anybody who may connect gets it as JSON', () => {
  expect(served.status).toBe(200);
  expect(served.headers.get('content-type')).toBe('application/json; charset=utf-8');
  expect(served.body.openapi).toBe('3.1.0');
  expect(served.body.info.version).toBe(JSON.parse(read('package.json')).version);
});

test('nothing in it breaks an app by surprise', () => {
  const changes = breakingChanges(gatewayApi.document, served.body);
  const surprises = unannounced(changes, read('CHANGELOG.md'));
  const finding =
    surprises.length === 0 ? 'no surprise' : breakingMessage(surprises, gatewayApi.file);
  expect(finding).toBe('no surprise');
});

test('the committed docs/openapi.json is the document that is served', () => {
  const isCommitted = served.text === gatewayApi.text;
  const finding = isCommitted ? 'as served' : 'docs/openapi.json is old: run npm run openapi';
  expect(finding).toBe('as served');
});

describe('a document of other routes than those that are described', () => {
  test('is not made with a route that nobody described', async () => {
    const routes = [...gatewayApi.operations, { method: 'GET', path: '/secret/{name}' }];
    await expect(textOf(routes)).rejects.toThrow('says nothing of GET /secret/{name}');
  });

  test('is not made without a route that is described', async () => {
    const routes = gatewayApi.operations.filter(({ path }) => path !== '/me');
    await expect(textOf(routes)).rejects.toThrow('there is no route GET /me');
  });
});

async function textOf(routes: readonly { method: string; path: string }[]): Promise<string> {
  const { app } = createHttpServer({
    ...{ log: createLog({ level: 'silent', service: 'gateway' }), errorEnvelope: { ok: false } },
    ...{ bodyLimitBytes: 1000, requestTimeoutMs: 1000, newId: () => 'req_1' },
  });
  const document = createGatewayDocument(app);
  for (const { method, path } of routes) {
    const url = path.replaceAll(/\{(\w+)\}/g, ':$1');
    app.route({ method, url, config: { guard: 'app' }, handler: () => '' });
  }
  try {
    return await document.text();
  } finally {
    await app.close();
  }
}

describeApiDocument(gatewayApi, {
  callers: [
    [],
    [{ appToken: [] }],
    [{ adminToken: [] }],
    // Prometheus needs no token where it is.
    [{ adminToken: [] }, {}],
  ],
  failuresOf: ({ method, operation: { security = [] } }) => [
    ...['400', '403', '421', '500', 'default'],
    ...(security.length === 0 ? [] : ['401', '429']),
    ...(security.length === 1 ? ['503'] : []),
    ...(method === 'GET' ? [] : ['413', '415']),
  ],
  // Readiness has parts to tell also when one does not work.
  otherAnswers: ['/readyz 503'],
});
