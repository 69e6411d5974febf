import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { startBrowser } from '../support/page-browser.ts';
import { startPageWorld } from '../support/page-world.ts';

let browser: Browser;

beforeAll(async () => {
  browser = await startBrowser();
});
afterAll(async () => {
  await browser.close();
});

const gateway = {
  ...{
    health: 'ok',
    version: '0.1.1',
    claude_version: '2.1.329 (Claude Code)',
    authenticated: true,
  },
  ...{ sandbox: 'bwrap', queue: { running: 1, waiting: 2 } },
  usage_24h: { runs: 42, input_tokens: 51_200, output_tokens: 8300, cost_usd: 1.23 },
  subscription: {
    parked: null,
    windows: [{ window: 'five_hour', status: 'allowed', utilization: 0.4, resets_at: null }],
  },
};
const report = {
  health: 'ok',
  gateway,
  watcher: { version: '0.1.0', feed: 'stream', open_messages: 1, dead_letters: 0 },
  host: {
    ...{ cpus: 4, load_1m: 0.8, memory_free_mb: 3072, memory_total_mb: 8192 },
    ...{ disk_free_mb: 40_960, disk_total_mb: 65_536, uptime_secs: 400_000 },
  },
};

test('the system view shows the vault, and each host as it reports', async () => {
  await using world = await startPageWorld(browser);
  const { token } = await world.watcher(await world.agent(world.admin.token, 'Librarian'));
  const tell = async (body: unknown): Promise<void> => {
    const answer = await world.call(token, '/hosts/attic', { method: 'PUT', body });
    expect(answer.status).toBeLessThan(300);
  };
  const page = await world.signedIn({ path: '/system' });
  await page.getByText('No host has reported yet.').waitFor();
  await page.getByText('works', { exact: true }).waitFor();
  await tell(report);
  const host = page.getByRole('article', { name: 'Host attic' });
  await host.waitFor();
  const facts = await host.locator('.facts').allInnerTexts();
  for (const fact of [
    ...['works', '2.1.329 (Claude Code)', 'yes', 'bwrap', '1 running, 2 waiting'],
    ...['42 runs, 51,200 tokens in, 8,300 out, $1.23', '40 %', '0.1.0', '0.1.1', 'by stream'],
    ...['load 0.8 on 4', '3.0 GB of 8.0 GB free', '40.0 GB of 64.0 GB free', '5 days'],
  ]) {
    expect(facts.join('\n')).toContain(fact);
  }

  const reason = 'the gateway is not signed in';
  await tell({ ...report, health: 'degraded', gateway: { ...gateway, health: 'error', reason } });
  await host.getByText(reason, { exact: true }).waitFor();
  expect(await host.locator('.badge').innerText()).toBe('in trouble');
  expect(world.mishaps).toEqual([]);
});
