import { Type } from 'typebox';

import type { ApiDocument } from '#shared/api-document/api-document.ts';
import type { HttpApp } from '#shared/http-server.ts';

import { sendAnswer } from './stored-answer.ts';

const OpenApi = Type.Object(
  { openapi: Type.String({ examples: ['3.1.0'] }) },
  { description: 'an OpenAPI document', additionalProperties: true },
);

export async function apiDocumentRoutes(
  app: HttpApp,
  { document }: { document: ApiDocument },
): Promise<void> {
  app.get(
    '/openapi.json',
    { config: { guard: 'public' }, schema: { response: { 200: OpenApi } } },
    async (_request, reply) => sendAnswer(reply, { statusCode: 200, body: await document.text() }),
  );
}
