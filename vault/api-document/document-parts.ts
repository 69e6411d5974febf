// What the vault says of itself in its document.
import type { DocumentParts } from '#shared/api-document/document-parts.ts';
import { readProjectVersion } from '#shared/project-version.ts';

import { answerHeaders, requestHeaders } from './api-headers.ts';
import { failures } from './failures.ts';
import { agentOperations } from './operations/agent-operations.ts';
import { attachmentOperations } from './operations/attachment-operations.ts';
import { authOperations } from './operations/auth-operations.ts';
import { eventOperations } from './operations/event-operations.ts';
import { hostOperations } from './operations/host-operations.ts';
import { keyOperations } from './operations/key-operations.ts';
import { serviceOperations } from './operations/service-operations.ts';
import { userOperations } from './operations/user-operations.ts';
import { accessOf, securitySchemes } from './route-access.ts';
import { tags } from './vault-operations.ts';
import type { VaultOperations } from './vault-operations.ts';

const operations: VaultOperations = {
  ...agentOperations,
  ...eventOperations,
  ...attachmentOperations,
  ...hostOperations,
  ...authOperations,
  ...userOperations,
  ...keyOperations,
  ...serviceOperations,
};

const description = [
  'The vault is the workspace of Gatehouse: who is who and may do what, which agents there are, and a feed of each that loses nothing.',
  'A good answer is `{"success":true,"data":…}`, a page of a list has `next` as well: send it as `after` for the page that follows. Every answer that is not 2xx has one form, with a `code` for programs and a `message` for people.',
  'A path that is not here answers 404, a method that is not here 405.',
].join('\n\n');

export async function readDocumentParts(): Promise<DocumentParts> {
  const version = await readProjectVersion();
  return {
    service: 'vault',
    info: { title: 'Gatehouse vault', version, description },
    ...{ tags, operations, accessOf, failures, requestHeaders, answerHeaders, securitySchemes },
  };
}
