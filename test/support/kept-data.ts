// A data directory as a gateway leaves it when it stops, with something of everything in it.
import { mkdirSync, mkdtempDisposableSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect } from 'vitest';

import { waitForGo } from './run-latch.ts';
import { startTestGateway, testAdminToken } from './test-gateway.ts';
import type { TestGateway } from './test-gateway.ts';
import { upload } from './upload-form.ts';

export const uploadedText = 'a file that an app has uploaded\n';

export type KeptFacts = {
  token: string;
  fileToken: string;
  completedRun: string;
  /** Accepted, and not begun. */
  waitingRun: string;
};

export type KeptData = Disposable & KeptFacts & { dataDir: string };

/** With the admin token in a file, as it is without configuration, and one run at a time. */
export function startGatewayOn(dataDir: string): Promise<TestGateway> {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const env = { ADMIN_BOOTSTRAP_TOKEN: '', GATEWAY_CONCURRENCY: '1', SHUTDOWN_GRACE_SECS: '0' };
  return startTestGateway({ dataDir, keep: true, env });
}

export function writeAdminToken(dataDir: string): void {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  writeFileSync(join(dataDir, 'admin-token'), `${testAdminToken}\n`, { mode: 0o600 });
}

export async function makeKeptData(): Promise<KeptData> {
  const directory = mkdtempDisposableSync(join(tmpdir(), 'gatehouse-'));
  const dataDir = join(directory.path, 'data');
  writeAdminToken(dataDir);
  const gateway = await startGatewayOn(dataDir);
  try {
    const facts = await fillGateway(gateway);
    await gateway.close();
    // What a backup must never hold.
    mkdirSync(join(dataDir, 'login'));
    writeFileSync(join(dataDir, 'login', '.credentials.json'), 'secret of the login');
    return { ...facts, dataDir, [Symbol.dispose]: () => directory.remove() };
  } finally {
    await gateway.close();
  }
}

/** Leaves one run that has the only place until it is let go, and one that waits behind it. */
export async function fillGateway(gateway: TestGateway): Promise<KeptFacts> {
  const token = await gateway.mint('app');
  await gateway.mint('revoked');
  await gateway.admin('/admin/tokens/revoked', undefined, 'DELETE');
  const { file_token: fileToken } = (await upload(gateway, token, uploadedText)).body;
  const completedRun = await submit(gateway, token, { prompt: 'completed' });
  expect(await runOf(gateway, token, completedRun, '?wait=20')).toMatchObject({ status: 'ended' });
  await submit(gateway, token, { prompt: `${waitForGo}\nheld` });
  const waitingRun = await submit(gateway, token, { prompt: 'waiting' }, waitingKey);
  return { token, fileToken, completedRun, waitingRun };
}

export const waitingKey = { 'idempotency-key': 'the-run-that-waits' };

/** Gives the id of the run. */
export async function submit(
  gateway: TestGateway,
  token: string,
  body: Record<string, unknown>,
  headers: Record<string, string> = {},
): Promise<string> {
  const authorization = `Bearer ${token}`;
  const answer = await gateway.fetch('/runs', {
    method: 'POST',
    headers: { authorization, 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
  expect(answer).toMatchObject({ status: 202 });
  return answer.body.run_id;
}

export async function runOf(
  gateway: TestGateway,
  token: string,
  runId: string,
  query = '',
  // oxlint-disable-next-line typescript/no-explicit-any -- a test looks at what came, whatever it is
): Promise<any> {
  const authorization = `Bearer ${token}`;
  return (await gateway.fetch(`/runs/${runId}${query}`, { headers: { authorization } })).body;
}
