// What the gateway says of itself in its document.
import type { DocumentParts } from '#shared/api-document/document-parts.ts';
import { readProjectVersion } from '#shared/project-version.ts';

import { answerHeaders, requestHeaders } from './api-headers.ts';
import { failures } from './failures.ts';
import { tags } from './gateway-operations.ts';
import type { GatewayOperations } from './gateway-operations.ts';
import { adminOperations } from './operations/admin-operations.ts';
import { fileOperations } from './operations/file-operations.ts';
import { runOperations } from './operations/run-operations.ts';
import { serviceOperations } from './operations/service-operations.ts';
import { sessionOperations } from './operations/session-operations.ts';
import { accessOf, securitySchemes } from './route-access.ts';

const operations: GatewayOperations = {
  ...runOperations,
  ...sessionOperations,
  ...fileOperations,
  ...adminOperations,
  ...serviceOperations,
};

const description = [
  'Gatehouse runs Claude Code for small apps on your own network: each run in its own sandbox, behind a durable queue.',
  'An app asks with its bearer token. Every answer that is not 2xx has one form, with a `code` for programs and a `message` for people; README has the table of codes.',
  'A path that is not here answers 404, a method that is not here 405.',
].join('\n\n');

export async function readDocumentParts(): Promise<DocumentParts> {
  const version = await readProjectVersion();
  return {
    service: 'gateway',
    info: { title: 'Gatehouse gateway', version, description },
    ...{ tags, operations, accessOf, failures, requestHeaders, answerHeaders, securitySchemes },
  };
}
