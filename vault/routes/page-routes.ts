// The page of the vault: what `npm run build` has made of dashboard/. Its policy lets it run its own scripts only, and ask nobody else.
import { readdir, readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';

import type { FastifyReply, FastifyRequest } from 'fastify';

import { requestError } from '#shared/errors.ts';
import type { HttpApp } from '#shared/http-server.ts';

const usualDir = join(import.meta.dirname, '../../dashboard/dist');

/** Where its one document is. */
export const pagePaths = [
  '/',
  '/setup',
  '/accept-invitation',
  '/reset-password',
  '/sign-in',
  '/feed/:agent_id',
  '/agents',
  '/people',
  '/keys',
  '/audit',
  '/system',
  '/profile',
];

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.woff2': 'font/woff2',
};

const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' blob: data:",
  "connect-src 'self'",
  "font-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const headers = {
  'content-security-policy': contentSecurityPolicy,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
};

const notBuilt = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Gatehouse</title></head>
<body><h1>The page is not built yet</h1>
<p>Run <code>npm run build</code> where the vault was installed, and load this again.</p>
<p>The API works without it: it is below <code>/api/v1</code>.</p></body></html>
`;

type PageFile = { type: string; bytes: Buffer; zipped: Buffer };
/** By the path that it is asked for. */
type PageFiles = ReadonlyMap<string, PageFile>;

const zip = promisify(gzip);

export async function pageRoutes(
  app: HttpApp,
  { dir = usualDir }: { dir?: string | undefined },
): Promise<void> {
  const config = { access: 'public', isUncounted: true } as const;
  // Held in memory, so that no path of a request is ever one of the disk.
  let files = await readPage(dir);

  const sendKnown = (request: FastifyRequest, reply: FastifyReply, path: string) => {
    const file = files.get(path);
    if (file === undefined) throw requestError('not_found', 'the page has no such file');
    return sendFile(request, reply, path, file);
  };
  for (const path of pagePaths) {
    app.get(path, { config, schema: { hide: true } }, async (request, reply) => {
      if (files.size === 0) files = await readPage(dir);
      const index = files.get('/index.html');
      if (index !== undefined) return sendFile(request, reply, path, index);
      return reply
        .code(503)
        .headers({ ...headers, 'content-type': types['.html'] })
        .send(notBuilt);
    });
  }
  app.get('/gate.svg', { config, schema: { hide: true } }, async (request, reply) =>
    sendKnown(request, reply, '/gate.svg'),
  );
  app.get<{ Params: { name: string } }>(
    '/assets/:name',
    { config, schema: { hide: true } },
    async (request, reply) => sendKnown(request, reply, `/assets/${request.params.name}`),
  );
}

function sendFile(
  request: FastifyRequest,
  reply: FastifyReply,
  path: string,
  file: PageFile,
): FastifyReply {
  const isHashed = path.startsWith('/assets/');
  const isZipped = /\bgzip\b/.test(request.headers['accept-encoding'] ?? '');
  reply.headers({
    ...headers,
    'content-type': file.type,
    'cache-control': isHashed ? 'public, max-age=31536000, immutable' : 'no-cache',
    vary: 'Accept-Encoding',
    ...(isZipped ? { 'content-encoding': 'gzip' } : {}),
  });
  return reply.send(isZipped ? file.zipped : file.bytes);
}

/** Empty when it was not built. */
async function readPage(dir: string): Promise<PageFiles> {
  const files = new Map<string, PageFile>();
  for (const folder of ['', 'assets/']) {
    const entries = await readdir(join(dir, folder), { withFileTypes: true }).catch(() => []);
    for (const entry of entries) {
      const type = types[extname(entry.name)];
      if (!entry.isFile() || type === undefined) continue;
      const bytes = await readFile(join(dir, folder, entry.name));
      files.set(`/${folder}${entry.name}`, { type, bytes, zipped: await zip(bytes) });
    }
  }
  return files;
}
