import { readCommittedApi } from './committed-api.ts';

export const vaultApi = readCommittedApi('docs/vault-openapi.json');
