// Every operation of the API document is called with its own example, and answers as the document says.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { callAsShown, deviations } from '../support/documented-call.ts';
import type { CallOptions, PathValues } from '../support/documented-call.ts';
import { gatewayApi } from '../support/gateway-api.ts';
import { startTestGateway, testAdminToken } from '../support/test-gateway.ts';
import type { TestGateway } from '../support/test-gateway.ts';
import { upload } from '../support/upload-form.ts';

let gateway: TestGateway;
let appToken: string;

beforeAll(async () => {
  gateway = await startTestGateway({ env: { SHUTDOWN_GRACE_SECS: '0' } });
  appToken = await gateway.mint('crawler');
});

afterAll(() => gateway.close());

async function endedRun(): Promise<PathValues> {
  const runId = await gateway.submit(appToken, { prompt: 'hello', metadata: { a: 'b' } });
  await gateway.ended(appToken, runId);
  return { run_id: runId };
}

async function failedRun(): Promise<PathValues> {
  const runId = await gateway.submit(appToken, { prompt: '@@exit 3' });
  await gateway.ended(appToken, runId);
  return { run_id: runId };
}

async function runUnderWay(): Promise<PathValues> {
  return { run_id: await gateway.submit(appToken, { prompt: '@@init-then-silence' }) };
}

async function uploadedFile(): Promise<PathValues> {
  const { body } = await upload(gateway, appToken, 'text');
  return { file_token: body.file_token };
}

async function openSession(): Promise<PathValues> {
  const { body } = await gateway.as(appToken, '/sessions', { body: {} });
  return { session_id: body.session_id };
}

function newApp(name: string): () => Promise<PathValues> {
  return async () => {
    await gateway.mint(name, { ip_cidrs: ['127.0.0.0/8'] });
    return { name };
  };
}

/** What has to be there for an operation to do its work. Operations that are not here need nothing. */
const given: Record<string, () => Promise<PathValues>> = {
  'GET /runs': failedRun,
  'GET /runs/{run_id}': endedRun,
  'GET /runs/{run_id}/events': endedRun,
  'POST /runs/{run_id}/cancel': runUnderWay,
  'GET /me': failedRun,
  'GET /files': uploadedFile,
  'DELETE /files/{file_token}': uploadedFile,
  'GET /sessions/{session_id}': openSession,
  'DELETE /sessions/{session_id}': openSession,
  'PATCH /admin/tokens/{name}': newApp('changed'),
  'DELETE /admin/tokens/{name}': newApp('revoked'),
  'POST /admin/tokens/{name}/rotate': newApp('rotated'),
  'GET /admin/runs': runUnderWay,
  'POST /admin/runs/{run_id}/cancel': runUnderWay,
  'GET /admin/audit': failedRun,
};

function options(more: Partial<CallOptions> = {}): CallOptions {
  const tokens = { appToken, adminToken: testAdminToken };
  return { url: gateway.url, tokens, ...more };
}

test.each(gatewayApi.operations)('$name does what its example asks for', async (operation) => {
  const values = await given[operation.name]?.();
  const answer = await callAsShown(operation, options({ values }));
  expect(deviations(gatewayApi, operation, answer)).toEqual([]);
  expect(String(answer.status)).toBe(Object.keys(operation.operation.responses)[0]);
});

describe('POST /run', () => {
  const run = gatewayApi.operations.find(({ name }) => name === 'POST /run');
  if (run === undefined) throw new Error('the document has no POST /run');

  test('answers with its events when they are accepted', async () => {
    const headers = { accept: 'text/event-stream' };
    const answer = await callAsShown(run, options({ headers }));
    expect(deviations(gatewayApi, run, answer)).toEqual([]);
    expect(answer.headers.get('content-type')).toMatch(/^text\/event-stream/);
    expect(answer.text).toContain('event: run.completed');
  });

  test('streams a failure as it is documented', async () => {
    const headers = { accept: 'text/event-stream' };
    const body = JSON.stringify({ prompt: '@@init\n@@exit 3' });
    const answer = await callAsShown(run, options({ headers, body }));
    expect(deviations(gatewayApi, run, answer)).toEqual([]);
    expect(answer.text).toContain('event: run.failed');
  });

  test('answers at once when that is preferred', async () => {
    const headers = { prefer: 'respond-async' };
    const answer = await callAsShown(run, options({ headers }));
    expect(deviations(gatewayApi, run, answer)).toEqual([]);
    expect(answer.status).toBe(202);
    expect(answer.headers.get('location')).toMatch(/^\/runs\/run_/);
    expect(answer.headers.get('preference-applied')).toBe('respond-async');
  });

  test.each([
    ['@@error 529', 503],
    ['@@error 429', 429],
    ['@@exit 3', 502],
    ['@@max-turns', 422],
  ])('fails with %s as it is documented', async (prompt, status) => {
    const answer = await callAsShown(run, options({ body: JSON.stringify({ prompt }) }));
    expect(deviations(gatewayApi, run, answer)).toEqual([]);
    expect(answer.status).toBe(status);
  });

  test('answers the same request under the same key again, and no other', async () => {
    const headers = { 'idempotency-key': 'crawl' };
    await callAsShown(run, options({ headers }));
    const again = await callAsShown(run, options({ headers }));
    const other = await callAsShown(run, options({ headers, body: '{"prompt":"other"}' }));
    expect([...deviations(gatewayApi, run, again), ...deviations(gatewayApi, run, other)]).toEqual(
      [],
    );
    expect(again.headers.get('idempotent-replayed')).toBe('true');
    expect([again.status, other.status]).toEqual([200, 422]);
  });
});
