import { readCommittedApi } from './committed-api.ts';

export const gatewayApi = readCommittedApi('docs/openapi.json');
