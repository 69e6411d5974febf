// The page that shows the API document: nothing in it comes from elsewhere, and an app can be tried out on it.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import type { Answer } from '../support/gateway-client.ts';
import { startTestGateway } from '../support/test-gateway.ts';
import type { TestGateway } from '../support/test-gateway.ts';

let gateway: TestGateway;
let page: Answer;

beforeAll(async () => {
  gateway = await startTestGateway();
  page = await gateway.fetch('/docs');
});

afterAll(() => gateway.close());

/** What the page asks for, as a browser would. */
function linksOf({ text }: Answer): string[] {
  return [...text.matchAll(/\s(?:src|href|action)="([^"]*)"/g)].map(([, link = '']) => link);
}

test('the page and all that it asks for is served here, without a token', async () => {
  expect(page.status).toBe(200);
  const links = linksOf(page);
  expect(links).toContain('docs/swagger-ui-bundle.js');
  for (const link of links) {
    expect(link).toMatch(/^[a-z][a-z0-9/.-]*$/);
    const answer = await gateway.fetch(`/${link}`);
    expect([link, answer.status]).toEqual([link, 200]);
    expect(answer.text.length).toBeGreaterThan(10);
  }
});

test('its style sheets ask for nothing else', async () => {
  const sheets = linksOf(page).filter((link) => link.endsWith('.css'));
  expect(sheets.length).toBeGreaterThan(0);
  for (const sheet of sheets) {
    const { text } = await gateway.fetch(`/${sheet}`);
    expect(text).not.toContain('@import');
    const urls = [...text.matchAll(/url\(\s*["']?([^"')\s]*)/g)].map(([, url = '']) => url);
    expect(urls.filter((url) => !url.startsWith('data:'))).toEqual([]);
  }
});

test('its policy lets it ask nobody else and run no script but those of this gateway', async () => {
  const policy = new Map(
    (page.headers.get('content-security-policy') ?? '').split('; ').map((directive) => {
      const [name = '', ...sources] = directive.split(' ');
      return [name, sources.join(' ')];
    }),
  );
  expect(Object.fromEntries(policy)).toEqual({
    'default-src': "'none'",
    'script-src': "'self'",
    'style-src': "'self'",
    'img-src': "'self' data:",
    'connect-src': "'self'",
    'base-uri': "'none'",
    'form-action': "'none'",
    'frame-ancestors': "'none'",
  });
  expect(page.text).not.toMatch(/<script(?![^>]*\ssrc=)|\son[a-z]+=|<style|\sstyle=/);
  const script = await gateway.fetch('/docs/docs.js');
  expect(script.headers.get('content-type')).toBe('text/javascript; charset=utf-8');
  expect(script.headers.get('content-security-policy')).toBe(
    page.headers.get('content-security-policy'),
  );
});

describe('what is tried out on the page', () => {
  test('is taken like any other request: its origin is the gateway', async () => {
    const token = await gateway.mint('app');
    const headers = { origin: gateway.url };
    const run = await gateway.as(token, '/run', { body: { prompt: 'hello' }, headers });
    expect(run).toMatchObject({ status: 200, body: { result: 'hello' } });
  });

  test('needs a token like any other request', async () => {
    const headers = { origin: gateway.url, 'content-type': 'application/json' };
    const body = JSON.stringify({ prompt: 'hello' });
    expect((await gateway.fetch('/run', { method: 'POST', headers, body })).status).toBe(401);
  });
});

test.each(['/docs', '/docs/swagger-ui-bundle.js', '/openapi.json'])(
  '%s is not shown to a foreign address, under a foreign name, or to a foreign page',
  async (url) => {
    const { app } = gateway.gateway;
    const statusOf = async (options: {
      remoteAddress?: string;
      headers?: Record<string, string>;
    }) => (await app.inject({ url, ...options })).statusCode;
    expect(await statusOf({})).toBe(200);
    expect(await statusOf({ remoteAddress: '192.0.2.7' })).toBe(403);
    expect(await statusOf({ headers: { host: 'gatehouse.example' } })).toBe(421);
    expect(await statusOf({ headers: { origin: 'http://gatehouse.example' } })).toBe(403);
  },
);
