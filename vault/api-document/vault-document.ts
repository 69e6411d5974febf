import { createApiDocument } from '#shared/api-document/api-document.ts';
import type { ApiDocument } from '#shared/api-document/api-document.ts';
import type { HttpApp } from '#shared/http-server.ts';

/** To be called before any route is registered. */
export function createVaultDocument(app: HttpApp): ApiDocument {
  return createApiDocument(app, async () => {
    const { readDocumentParts } = await import('./document-parts.ts');
    return readDocumentParts();
  });
}
