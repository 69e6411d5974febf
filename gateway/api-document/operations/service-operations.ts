import type { GatewayOperations } from '../gateway-operations.ts';

export const serviceOperations: GatewayOperations = {
  'GET /livez': {
    id: 'getLiveness',
    tag: 'health',
    summary: 'Whether the gateway is alive',
    answers: { 200: { description: 'It is.' } },
  },
  'GET /readyz': {
    id: 'getReadiness',
    tag: 'health',
    summary: 'Whether everything that runs need works',
    answers: {
      200: { description: 'Every part works.' },
      503: { description: 'A part does not work: it says which.' },
    },
  },
  'GET /healthz': {
    id: 'getHealth',
    tag: 'health',
    summary: 'How the gateway is, in short',
    description: 'Nothing here starts a run or spends a token.',
    answers: { 200: { description: 'The summary, also when something does not work.' } },
  },
  'GET /metrics': {
    id: 'getMetrics',
    tag: 'metrics',
    summary: 'What the gateway does, for Prometheus',
    description: 'With the admin token, or without one from an address of METRICS_CIDRS.',
    answers: { 200: { description: 'All metrics.' } },
  },
  'GET /openapi.json': {
    id: 'getApiDocument',
    tag: 'document',
    summary: 'This document',
    description: 'The page `/docs` shows it.',
    answers: {
      200: { description: 'OpenAPI 3.1, made from the schemas that requests are checked with.' },
    },
  },
};
