// The files of the page, as a browser gets them.
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

import Fastify from 'fastify';
import { describe, expect, test } from 'vitest';

import { pageRoutes } from '../../vault/routes/page-routes.ts';
import { startTestVault } from '../support/vault-world.ts';

const firstLoadMax = 200_000;

describe('the files of the page', () => {
  test('the first load is less than 200 KB, and comes from here alone', async () => {
    await using vault = await startTestVault('sqlite');
    const html = await (await fetch(vault.url)).text();
    const urls = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, url = '']) => url);
    expect(urls.length).toBeGreaterThanOrEqual(3);
    let bytes = gzipSync(html).length;
    for (const url of urls) {
      expect(url).toMatch(/^\/(assets\/|gate\.svg$)/);
      const answer = await fetch(vault.url + url);
      expect(answer.status).toBe(200);
      bytes += gzipSync(Buffer.from(await answer.arrayBuffer())).length;
      const isHashed = url.startsWith('/assets/');
      const kept = isHashed ? 'public, max-age=31536000, immutable' : 'no-cache';
      expect(answer.headers.get('cache-control')).toBe(kept);
      expect(answer.headers.get('content-encoding')).toBe('gzip');
    }
    // gzipped
    expect(bytes).toBeLessThan(firstLoadMax);
    expect(html).not.toMatch(/<script(?![^>]*\bsrc=)|<style|\son\w+=|style="/);
  });

  test('every view has the policy, and nothing else is served', async () => {
    await using vault = await startTestVault('sqlite');
    for (const path of ['/', '/setup', '/accept-invitation', '/reset-password', '/system']) {
      const answer = await fetch(vault.url + path);
      expect(answer.status).toBe(200);
      expect(answer.headers.get('content-security-policy')).toBe(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
      );
      expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
      expect(answer.headers.get('cache-control')).toBe('no-cache');
    }
    for (const path of [
      '/assets/none.js',
      '/assets/..%2f..%2fpackage.json',
      '/assets/%2e%2e%2findex.html',
      '/package.json',
      '/nowhere',
    ]) {
      expect((await fetch(vault.url + path)).status).toBe(404);
    }
    expect((await fetch(vault.url, { method: 'POST' })).status).toBe(405);
  });

  test('a page that was not built says how to build it', async () => {
    const app = Fastify();
    const dir = await mkdtemp(join(tmpdir(), 'gatehouse-page-'));
    await app.register(pageRoutes as never, { dir } as never);
    const answer = await app.inject('/');
    expect(answer.statusCode).toBe(503);
    expect(answer.headers['content-type']).toContain('text/html');
    expect(answer.body).toContain('npm run build');
    await app.close();
  });
});
