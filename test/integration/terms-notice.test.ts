import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, expect, it } from 'vitest';

import { startGatewayProcess } from '../support/gateway-process.ts';
import type { GatewayProcess } from '../support/gateway-process.ts';

let dataDir: string;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'gatehouse-'));
});
afterEach(() => rm(dataDir, { recursive: true }));

const subscription = { ANTHROPIC_API_KEY: '', CLAUDE_CODE_OAUTH_TOKEN: 'not-a-real-token' };

function start(env: Record<string, string>): Promise<GatewayProcess> {
  return startGatewayProcess({ dataDir, keep: true, env });
}

async function startWithApps(names: string[]): Promise<void> {
  await using gateway = await start(subscription);
  for (const name of names) await gateway.mint(name);
  gateway.child.kill('SIGTERM');
  await gateway.exited;
}

it('a start says once what a personal subscription for several apps means', async () => {
  await startWithApps(['first', 'second']);
  await using gateway = await start(subscription);
  expect(gateway.stderr()).toMatch(/credential {3}CLAUDE_CODE_OAUTH_TOKEN\n {4}2 apps share one/);
  const lines = gateway.stdout().match(/"level":"warn".*2 apps share one personal/g);
  expect(lines).toHaveLength(1);
});

it('and says nothing for one app, nor for an API key', async () => {
  await startWithApps(['first']);
  {
    await using gateway = await start(subscription);
    expect(gateway.stderr()).not.toContain('subscription');
    await gateway.mint('second');
    gateway.child.kill('SIGTERM');
    await gateway.exited;
  }
  await using withKey = await start({});
  expect(withKey.stderr() + withKey.stdout()).not.toContain('subscription');
});
