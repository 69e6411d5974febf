// The document that the gateway serves: whole, true to itself, and the one that is committed.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import type {
  ApiContent,
  ApiMedia,
  ApiOperation,
  ApiParameter,
} from '#shared/api-document/openapi.ts';
import { createHttpServer } from '#shared/http-server.ts';
import { createLog } from '#shared/log.ts';

import { breakingMessage, unannounced } from '../../cli/openapi/announcement.ts';
import { breakingChanges } from '../../cli/openapi/breaking-changes.ts';
import { resolve } from '../../cli/openapi/reference.ts';
import { createGatewayDocument } from '../../gateway/api-document/gateway-document.ts';
import {
  answerOf,
  committedDocument,
  committedText,
  documentedOperations,
  illustratedSchemas,
  misfit,
} from '../support/api-document.ts';
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
  const changes = breakingChanges(committedDocument, served.body);
  const surprises = unannounced(changes, read('CHANGELOG.md'));
  const finding =
    surprises.length === 0 ? 'no surprise' : breakingMessage(surprises, 'docs/openapi.json');
  expect(finding).toBe('no surprise');
});

test('the committed docs/openapi.json is the document that is served', () => {
  const isCommitted = served.text === committedText;
  const finding = isCommitted ? 'as served' : 'docs/openapi.json is old: run npm run openapi';
  expect(finding).toBe('as served');
});

describe('a document of other routes than those that are described', () => {
  test('is not made with a route that nobody described', async () => {
    const routes = [...documentedOperations, { method: 'GET', path: '/secret/{name}' }];
    await expect(textOf(routes)).rejects.toThrow('says nothing of GET /secret/{name}');
  });

  test('is not made without a route that is described', async () => {
    const routes = documentedOperations.filter(({ path }) => path !== '/me');
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

describe('the document', () => {
  test('has no reference that leads nowhere', () => {
    const references = [...committedText.matchAll(/"\$ref": "([^"]+)"/g)].map(([, to = '']) => to);
    expect(references.length).toBeGreaterThan(100);
    for (const $ref of new Set(references)) {
      expect(() => resolve({ $ref }, committedDocument)).not.toThrow();
    }
  });

  test('has nothing that is not used', () => {
    const { securitySchemes: _schemes, ...components } = committedDocument.components;
    const names = Object.entries(components).flatMap(([kind, parts]) =>
      Object.keys(parts).map((name) => `#/components/${kind}/${name}`),
    );
    expect(names.filter((name) => !committedText.includes(`"$ref": "${name}"`))).toEqual([]);
  });

  test('calls every operation by a name of its own', () => {
    const ids = documentedOperations.map(({ operation }) => operation.operationId ?? '');
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.filter((id) => !/^[a-z][A-Za-z]+$/.test(id))).toEqual([]);
  });

  test('has examples and defaults that fit', () => {
    const values = illustratedSchemas(committedDocument).flatMap(({ at, schema }) =>
      [...(schema.examples ?? []), schema.default]
        .filter((value) => value !== undefined)
        .map((value) => ({ at, misfit: misfit(schema, value) })),
    );
    expect(values.length).toBeGreaterThan(100);
    expect(values.filter((value) => value.misfit !== null)).toEqual([]);
  });
});

const callers = {
  anybody: [],
  app: [{ appToken: [] }],
  admin: [{ adminToken: [] }],
  /** Some need no token because of where they are. */
  prometheus: [{ adminToken: [] }, {}],
};

describe.each(documentedOperations)('$name', ({ path, method, operation }) => {
  const statuses = Object.keys(operation.responses);

  test('has a summary, a tag and who may call it', () => {
    expect(operation.summary).toMatch(/^[A-Z].*[^.]$/);
    expect(operation.tags).toHaveLength(1);
    expect(committedDocument.tags?.map(({ name }) => name)).toContain(operation.tags?.[0]);
    expect(Object.values(callers)).toContainEqual(operation.security);
  });

  test('declares what stands in its path', () => {
    const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
    const declared = (operation.parameters ?? [])
      .map((each) => resolve<ApiParameter>(each, committedDocument))
      .filter((parameter) => parameter.in === 'path');
    expect(declared.map(({ name }) => name)).toEqual(inPath);
    expect(declared.every(({ required }) => required)).toBe(true);
  });

  test('says how it can fail, always in the one form', () => {
    const isPublic = operation.security?.length === 0;
    const drains = operation.security?.length === 1;
    const least = ['400', '403', '421', '500', 'default'];
    const withToken = [...(isPublic ? [] : ['401', '429']), ...(drains ? ['503'] : [])];
    const withBody = method === 'GET' ? [] : ['413', '415'];
    expect(statuses).toEqual(expect.arrayContaining([...least, ...withToken, ...withBody]));
    const failures = statuses
      .filter((status) => !status.startsWith('2'))
      // Readiness has parts to tell also when one does not work.
      .filter((status) => `${path} ${status}` !== '/readyz 503')
      .map((status) => answerOf(operation, status)?.content ?? {});
    for (const content of failures) {
      expect(Object.keys(content)).toEqual(['application/json']);
      expect(content['application/json']?.schema?.$ref).toBe('#/components/schemas/ErrorAnswer');
    }
  });

  test('says what each of its answers is', () => {
    const descriptions = statuses.map((status) => answerOf(operation, status)?.description ?? '');
    expect(descriptions.filter((text) => !/\S/.test(text) || text.includes('Default'))).toEqual([]);
  });

  test('has an example of every body and of every good answer', () => {
    const good = statuses.filter((status) => status.startsWith('2'));
    const media = [operation.requestBody?.content, ...contentsOf(operation, good)].flatMap(mediaOf);
    expect(media.filter((each) => examplesOf(each).length === 0)).toEqual([]);
  });

  test('has examples that fit', () => {
    const media = [operation.requestBody?.content, ...contentsOf(operation, statuses)];
    const misfits = media
      .flatMap(mediaOf)
      .flatMap((each) => examplesOf(each).map((example) => misfit(each.schema ?? {}, example)));
    expect(misfits.filter((found) => found !== null)).toEqual([]);
  });
});

function contentsOf(operation: ApiOperation, statuses: readonly string[]) {
  return statuses.map((status) => answerOf(operation, status)?.content);
}

function mediaOf(content: ApiContent | undefined): ApiMedia[] {
  return Object.values(content ?? {});
}

function examplesOf({ example, examples = {} }: ApiMedia): unknown[] {
  const named = Object.values(examples).map(
    (each) => resolve<{ value: unknown }>(each, committedDocument).value,
  );
  return example === undefined ? named : [example, ...named];
}
