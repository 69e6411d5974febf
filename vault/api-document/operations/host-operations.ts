import { keyed } from '../vault-operations.ts';
import type { VaultOperations } from '../vault-operations.ts';

export const hostOperations: VaultOperations = {
  'GET /api/v1/hosts': {
    ...{ id: 'listHosts', tag: 'hosts', summary: 'List the hosts by name' },
    answers: { 200: { description: 'A page of hosts, each with its last report.' } },
  },
  'GET /api/v1/hosts/{name}': {
    ...{ id: 'getHost', tag: 'hosts', summary: 'Read the last report of a host' },
    answers: { 200: { description: 'The host.' } },
    errors: ['not_found'],
  },
  'PUT /api/v1/hosts/{name}': {
    id: 'reportHost',
    tag: 'hosts',
    summary: 'Report how a host is',
    description: 'The report replaces the one before. Another `health` is told on the stream.',
    answers: {
      200: { description: 'The host as reported.', headers: ['Idempotent-Replayed'] },
    },
    headers: keyed.headers,
    errors: ['conflict', ...keyed.errors],
  },
};
