import type { VaultOperations } from '../vault-operations.ts';

export const serviceOperations: VaultOperations = {
  'GET /api/v1/auth/audit': {
    id: 'listAudit',
    tag: 'audit',
    summary: 'Read the audit log, newest first',
    description: 'One row for every change, chained by hash. No API changes a row.',
    answers: { 200: { description: 'A page of rows.' } },
  },
  'GET /api/v1/health/live': {
    ...{ id: 'getLiveness', tag: 'health', summary: 'Whether the vault is alive' },
    answers: { 200: { description: 'It is.' } },
  },
  'GET /api/v1/health/ready': {
    ...{ id: 'getReadiness', tag: 'health', summary: 'Whether the vault works' },
    answers: { 200: { description: 'Every part works.' } },
    errors: ['unavailable'],
  },
  'GET /api/openapi.json': {
    id: 'getApiDocument',
    tag: 'document',
    summary: 'This document',
    description: 'The page `/api/docs` shows it.',
    answers: {
      200: { description: 'OpenAPI 3.1, made from the schemas that requests are checked with.' },
    },
  },
};
