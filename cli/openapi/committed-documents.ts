// The API documents that are committed, and where what is served comes from.
import { readGatewayDocument } from './served-gateway-document.ts';
import { readVaultDocument } from './served-vault-document.ts';

export type CommittedDocument = {
  service: string;
  /** In the project. */
  file: string;
  /** As a service of this code serves it. */
  readServed: (projectDir: string) => Promise<string>;
};

export const committedDocuments: readonly CommittedDocument[] = [
  { service: 'gateway', file: 'docs/openapi.json', readServed: readGatewayDocument },
  { service: 'vault', file: 'docs/vault-openapi.json', readServed: readVaultDocument },
];
