import { guarded, keyed } from '../vault-operations.ts';
import type { VaultOperations } from '../vault-operations.ts';

export const agentOperations: VaultOperations = {
  'GET /api/v1/agents': {
    id: 'listAgents',
    tag: 'agents',
    summary: 'List the agents in their order',
    description: 'Those that a key is for; with `archived` those that are put away.',
    answers: { 200: { description: 'A page of agents, with what the caller has not read yet.' } },
  },
  'POST /api/v1/agents': {
    ...{ id: 'createAgent', tag: 'agents', summary: 'Make an agent' },
    answers: {
      201: {
        description: 'The agent, at the end of the order.',
        headers: ['Location', 'ETag', 'Idempotent-Replayed'],
      },
    },
    headers: keyed.headers,
    errors: ['conflict', ...keyed.errors],
  },
  'GET /api/v1/agents/order': {
    ...{ id: 'getAgentOrder', tag: 'agents', summary: 'Read the order of the agents' },
    answers: { 200: { description: 'All agents that are not put away.', headers: ['ETag'] } },
  },
  'PUT /api/v1/agents/order': {
    id: 'orderAgents',
    tag: 'agents',
    summary: 'Put the agents in order',
    description: 'Those named come first; the others stay behind them as they were.',
    answers: {
      200: { description: 'The order of all.', headers: ['ETag', 'Idempotent-Replayed'] },
    },
    headers: guarded.headers,
    errors: ['not_found', ...guarded.errors],
  },
  'GET /api/v1/agents/{agent_id}': {
    ...{ id: 'getAgent', tag: 'agents', summary: 'Read an agent' },
    answers: { 200: { description: 'The agent as it is now.', headers: ['ETag'] } },
    errors: ['not_found'],
  },
  'PATCH /api/v1/agents/{agent_id}': {
    ...{ id: 'changeAgent', tag: 'agents', summary: 'Rename, describe or label an agent' },
    answers: {
      200: { description: 'The agent as it is now.', headers: ['ETag', 'Idempotent-Replayed'] },
    },
    headers: guarded.headers,
    errors: ['not_found', 'conflict', ...guarded.errors],
  },
  'DELETE /api/v1/agents/{agent_id}': {
    id: 'archiveAgent',
    tag: 'agents',
    summary: 'Put an agent away',
    description: 'Its feed is kept, and takes nothing new until the agent is brought back.',
    answers: {
      204: { description: 'The agent is put away.', headers: ['Idempotent-Replayed'] },
    },
    headers: guarded.headers,
    errors: ['not_found', 'conflict', ...guarded.errors],
  },
  'POST /api/v1/agents/{agent_id}/restore': {
    ...{ id: 'restoreAgent', tag: 'agents', summary: 'Bring an agent back' },
    answers: {
      200: {
        description: 'The agent, at the end of the order.',
        headers: ['ETag', 'Idempotent-Replayed'],
      },
    },
    headers: guarded.headers,
    errors: ['not_found', 'conflict', ...guarded.errors],
  },
  'PUT /api/v1/agents/{agent_id}/status': {
    id: 'reportAgentStatus',
    tag: 'agents',
    summary: 'Say how an agent is',
    description:
      'Whoever answers for an agent says so every few seconds: after a minute of silence the agent is `offline`.',
    answers: {
      200: { description: 'The agent as it is now.', headers: ['Idempotent-Replayed'] },
    },
    headers: keyed.headers,
    errors: ['not_found', 'conflict', ...keyed.errors],
  },
  'PUT /api/v1/agents/{agent_id}/read': {
    id: 'markAgentRead',
    tag: 'agents',
    summary: 'Say how far one has read a feed',
    description: 'The mark never goes back.',
    answers: {
      200: { description: 'Where the mark is.', headers: ['Idempotent-Replayed'] },
    },
    headers: keyed.headers,
    errors: ['not_found', ...keyed.errors],
  },
};
