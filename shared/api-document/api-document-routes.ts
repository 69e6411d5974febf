import type { FastifyContextConfig, FastifyReply } from 'fastify';
import { Type } from 'typebox';

import type { HttpApp } from '../http-server.ts';
import type { ApiDocument } from './api-document.ts';

const OpenApi = Type.Object(
  { openapi: Type.String({ examples: ['3.1.0'] }) },
  { description: 'an OpenAPI document', additionalProperties: true },
);

/** @param options `config` lets anybody in; with a `prefix`, the document is at `<prefix>/openapi.json`. */
export async function apiDocumentRoutes(
  app: HttpApp,
  { document, config }: { document: ApiDocument; config: FastifyContextConfig },
): Promise<void> {
  app.get('/openapi.json', { config, schema: { response: { 200: OpenApi } } }, async (_, reply) =>
    sendJson(reply, await document.text()),
  );
}

/** The text as it is, the same each time. */
function sendJson(reply: FastifyReply, text: string): FastifyReply {
  return reply
    .header('content-type', 'application/json; charset=utf-8')
    .serializer(String)
    .send(text);
}
