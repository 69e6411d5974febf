// The document that the vault serves: whole, true to itself, and the one that is committed.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { breakingMessage, unannounced } from '../../cli/openapi/announcement.ts';
import { breakingChanges } from '../../cli/openapi/breaking-changes.ts';
import { cookieSecurity, securityOf } from '../../vault/api-document/route-access.ts';
import { permissions } from '../../vault/permission/permission.ts';
import { describeApiDocument } from '../support/api-document-suite.ts';
import { projectDir } from '../support/gateway-environment.ts';
import { vaultApi } from '../support/vault-api.ts';
import { startTestVault } from '../support/vault-world.ts';
import type { TestVault } from '../support/vault-world.ts';

let world: TestVault;
let served: Response;
let text: string;

beforeAll(async () => {
  world = await startTestVault('sqlite');
  served = await fetch(`${world.url}/api/openapi.json`);
  text = await served.text();
});

afterAll(() => world.close());

function read(file: string): string {
  return readFileSync(join(projectDir, file), 'utf8');
}

test('anybody who may connect gets it as JSON', () => {
  expect(served.status).toBe(200);
  expect(served.headers.get('content-type')).toBe('application/json; charset=utf-8');
  expect(JSON.parse(text)).toMatchObject({
    ...{ openapi: '3.1.0', info: { version: JSON.parse(read('package.json')).version } },
  });
});

test('nothing in it breaks an app by surprise', () => {
  const changes = breakingChanges(vaultApi.document, JSON.parse(text));
  const surprises = unannounced(changes, read('CHANGELOG.md'));
  const finding =
    surprises.length === 0 ? 'no surprise' : breakingMessage(surprises, vaultApi.file);
  expect(finding).toBe('no surprise');
});

test('the committed docs/vault-openapi.json is the document that is served', () => {
  const finding = text === vaultApi.text ? 'as served' : 'it is old: run npm run openapi';
  expect(finding).toBe('as served');
});

test('nothing in it speaks of runs', () => {
  expect(text).not.toMatch(/run_id|timeout_total|\bruns?\b/);
});

test('the page is beside it, and asks for nothing that is not served here', async () => {
  const page = await fetch(`${world.url}/api/docs`);
  const html = await page.text();
  expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
  const links = [...html.matchAll(/\s(?:src|href)="([^"]*)"/g)].map(([, link = '']) => link);
  expect(links).toContain('docs/swagger-ui-bundle.js');
  for (const link of links) {
    const { status } = await fetch(`${world.url}/api/${link}`);
    expect([link, status]).toEqual([link, 200]);
  }
});

describeApiDocument(vaultApi, {
  callers: [[], cookieSecurity, ...permissions.map(securityOf)],
  failuresOf: ({ method, operation: { security = [] } }) => [
    ...['400', '403', '421', '500', 'default'],
    ...(security.some((each) => 'accessToken' in each) ? ['401', '429', '503'] : []),
    ...(method === 'GET' ? [] : ['413', '415', '507']),
  ],
  // The client has the file.
  otherAnswers: ['/api/v1/attachments/{attachment_id} 304'],
});
