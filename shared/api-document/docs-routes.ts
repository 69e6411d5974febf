// The page that shows the API document beside it. Everything it needs comes from here, and its policy lets it ask nobody else.
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

import type { FastifyContextConfig } from 'fastify';

import type { HttpApp } from '../http-server.ts';

const page = join(import.meta.dirname, 'page');
const swaggerUi = join(
  dirname(createRequire(import.meta.url).resolve('@fastify/swagger-ui/package.json')),
  'static',
);

const script = 'text/javascript; charset=utf-8';
const style = 'text/css; charset=utf-8';
const files = [
  { url: '/docs', directory: page, name: 'docs.html', type: 'text/html; charset=utf-8' },
  { url: '/docs/docs.js', directory: page, name: 'docs.js', type: script },
  ...[
    { name: 'swagger-ui-bundle.js', type: script },
    { name: 'swagger-ui.css', type: style },
    { name: 'index.css', type: style },
    { name: 'favicon-32x32.png', type: 'image/png' },
  ].map(({ name, type }) => ({ url: `/docs/${name}`, directory: swaggerUi, name, type })),
];

/** Images in the style sheet are data; styles that scripts set on elements are none to the policy. */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** @param options `config` lets anybody in; with a `prefix`, the page is at `<prefix>/docs`. */
export async function docsRoutes(
  app: HttpApp,
  { config }: { config: FastifyContextConfig },
): Promise<void> {
  for (const { url, directory, name, type } of files) {
    app.get(url, { config, schema: { hide: true } }, async (_request, reply) =>
      reply
        .headers({
          'content-type': type,
          'content-security-policy': contentSecurityPolicy,
          'referrer-policy': 'no-referrer',
        })
        .send(await readFile(join(directory, name))),
    );
  }
}
