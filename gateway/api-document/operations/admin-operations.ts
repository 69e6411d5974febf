import type { GatewayOperations } from '../gateway-operations.ts';

const shownOnce =
  'The token is shown this once: a repetition under the same `Idempotency-Key` is refused with 409.';

export const adminOperations: GatewayOperations = {
  'POST /admin/tokens': {
    id: 'createApp',
    tag: 'admin',
    summary: 'Make an app and its token',
    description: shownOnce,
    answers: { 201: { description: 'The app and its token.' } },
    headers: ['Idempotency-Key'],
    errors: ['conflict', 'idempotency_mismatch'],
  },
  'GET /admin/tokens': {
    id: 'listApps',
    tag: 'admin',
    summary: 'List the apps, newest first',
    answers: { 200: { description: 'A page of apps, without their tokens.' } },
  },
  'PATCH /admin/tokens/{name}': {
    id: 'changeApp',
    tag: 'admin',
    summary: 'Change the limits of an app',
    description: 'They count at once, also for runs that wait.',
    answers: { 200: { description: 'The app as it is now.' } },
    errors: ['not_found'],
  },
  'DELETE /admin/tokens/{name}': {
    id: 'revokeApp',
    tag: 'admin',
    summary: 'Revoke an app and its tokens',
    description: 'Its runs that wait are cancelled.',
    answers: { 204: { description: 'The app may do nothing any more.' } },
    errors: ['not_found'],
  },
  'POST /admin/tokens/{name}/rotate': {
    id: 'rotateToken',
    tag: 'admin',
    summary: 'Give an app a new token',
    description: `The old one goes on working for \`overlap_secs\`. ${shownOnce}`,
    answers: { 201: { description: 'The new token.' } },
    headers: ['Idempotency-Key'],
    errors: ['not_found', 'conflict', 'idempotency_mismatch'],
    hasOptionalBody: true,
  },
  'GET /admin/runs': {
    id: 'listAllRuns',
    tag: 'admin',
    summary: 'List the runs of all apps, newest first',
    answers: { 200: { description: 'A page of runs.' } },
  },
  'POST /admin/runs/{run_id}/cancel': {
    id: 'cancelAnyRun',
    tag: 'admin',
    summary: 'End a run of any app',
    answers: { 202: { description: 'The run is on its way to its end.' } },
    errors: ['not_found', 'conflict'],
  },
  'GET /admin/limits': {
    id: 'listLimits',
    tag: 'admin',
    summary: 'How the windows of the subscription stand',
    description:
      'As the runs of the gateway were told; its credentials are never used to ask. `parked` says why no run starts.',
    answers: { 200: { description: 'All windows that were seen.' } },
  },
  'GET /admin/audit': {
    id: 'listAudit',
    tag: 'admin',
    summary: 'Read the audit log, newest first',
    description: 'One row for every run and admin action, chained by hash.',
    answers: { 200: { description: 'A page of rows.' } },
  },
};
