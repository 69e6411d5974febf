// Every view, with what axe-core says of it, on a phone and a desktop, light and dark.
import { mkdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';

import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { startBrowser } from '../support/page-browser.ts';
import { startPageWorld } from '../support/page-world.ts';
import type { PageWorld } from '../support/page-world.ts';

const axeSource = await readFile(
  createRequire(import.meta.url).resolve('axe-core/axe.min.js'),
  'utf8',
);
/** Where pictures of the views are put, for whoever wants to look at them. */
const pictures = process.env['PAGE_PICTURES'];

let browser: Browser;

beforeAll(async () => {
  browser = await startBrowser();
});
afterAll(async () => {
  await browser.close();
});

const phone = { width: 390, height: 844 };
const desktop = { width: 1280, height: 800 };
const looks = [
  { name: 'desktop-light', viewport: desktop, colorScheme: 'light' },
  { name: 'desktop-dark', viewport: desktop, colorScheme: 'dark' },
  { name: 'phone-light', viewport: phone, colorScheme: 'light' },
  { name: 'phone-dark', viewport: phone, colorScheme: 'dark' },
] as const;

type Found = { violations: { id: string; impact: string | null; nodes: { html: string }[] }[] };

/** Ids of what axe-core finds that is serious, with where. */
async function seriousFaults(page: Page): Promise<string[]> {
  await page.evaluate(axeSource);
  const { violations } = (await page.evaluate('axe.run(document)')) as Found;
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 150)).join(' | ')}`);
}

async function look(page: Page, look_: string, view: string): Promise<void> {
  await page.waitForTimeout(300);
  if (pictures !== undefined) {
    await mkdir(pictures, { recursive: true });
    await page.screenshot({ path: `${pictures}/${look_}-${view}.png` });
  }
  expect(await seriousFaults(page), `${view} as ${look_}`).toEqual([]);
  const width = await page.evaluate('document.documentElement.scrollWidth');
  expect(width, `width of ${view}`).toBe(page.viewportSize()?.width);
}

async function fill(world: PageWorld): Promise<void> {
  const { token } = world.admin;
  const agentId = await world.agent(token, 'Librarian');
  const other = await world.agent(token, 'Night watch');
  await world.agent(token, 'Accountant with a rather long name of its own');
  const watcher = await world.watcher(agentId);
  await watcher.report({ status: 'working', status_text: null });
  await (
    await world.watcher(other)
  ).report({ status: 'error', status_text: 'the gateway is not signed in' });
  const ask = (content: string) =>
    world.post(token, agentId, { event_type: 'user_message', content });
  const first = await ask(
    'Which of our scripts still use the old token format?\nList them, please.',
  );
  const fence = await watcher.claim(first.event_id);
  await watcher.say(first.event_id, fence, {
    event_type: 'tool_call',
    content: 'rg -l "tok_" scripts',
    metadata: { tool: 'Bash' },
  });
  await watcher.say(first.event_id, fence, {
    event_type: 'assistant_message',
    content: [
      'There are **three** of them. The change is the same in each:',
      '',
      '1. `scripts/rotate.sh` reads the token from a file',
      '2. `scripts/report.ts` takes it from the environment',
      '3. `scripts/old/import.py` has it [written down](https://example.com/why-not)',
      '',
      '```ts',
      "const token = await readToken(join(home, '.config', 'gatehouse', 'token'));",
      "if (!token.startsWith('gw_')) throw new Error('an old token: ask for another one');",
      '```',
      '',
      '| Script | Last used | Owner |',
      '|---|---|---|',
      '| rotate.sh | yesterday | Ada |',
      '| report.ts | in March | Ben |',
      '',
      '> The last one can be deleted.',
    ].join('\n'),
    metadata: {
      outcome: 'completed',
      model: 'claude-sonnet-5',
      duration_ms: 8400,
      cost_usd: 0.0312,
    },
  });
  const second = await ask('Delete the last one.');
  const next = await watcher.claim(second.event_id);
  await watcher.say(second.event_id, next, {
    event_type: 'system',
    content: 'There is no answer: the gateway is not signed in.',
    ends_claim: true,
    metadata: { outcome: 'auth' },
  });
  const third = await ask('And now?');
  const last = await watcher.claim(third.event_id);
  await watcher.say(third.event_id, last, {
    event_type: 'assistant_delta',
    content: 'It is gone. I have looked for whatever might still',
    metadata: { run_id: 'run_1', attempt: 1, message: 0, from: 0 },
  });
  await world.post(token, other, { event_type: 'user_message', content: 'Anything odd?' });
  await world.call(watcher.token, '/hosts/attic', { method: 'PUT', body: hostReport });
  await world.call(token, '/invitations', { body: { role: 'agent' } });
}

const hostReport = {
  health: 'ok',
  gateway: {
    health: 'ok',
    claude_version: '2.1.329 (Claude Code)',
    authenticated: true,
    sandbox: 'bwrap',
    queue: { running: 1, waiting: 2 },
    usage_24h: { runs: 42, input_tokens: 51_200, output_tokens: 8300, cost_usd: 1.23 },
    subscription: {
      parked: null,
      windows: [{ window: 'five_hour', status: 'allowed', utilization: 0.4, resets_at: null }],
    },
  },
  watcher: { version: '0.1.0', feed: 'stream', open_messages: 1, dead_letters: 0 },
  host: {
    ...{ cpus: 4, load_1m: 0.8, memory_free_mb: 3100, memory_total_mb: 8000 },
    ...{ disk_free_mb: 41_000, disk_total_mb: 64_000, uptime_secs: 400_000 },
  },
};

const views = [
  ['Agents', 'Agents'],
  ['People', 'People'],
  ['Keys', 'Keys'],
  ['Audit', 'Audit'],
  ['System', 'System'],
  ['ada', 'Profile'],
] as const;

describe.each(looks)('the views as $name', ({ name, viewport, colorScheme }) => {
  test('are in order', async () => {
    await using world = await startPageWorld(browser);
    await fill(world);
    const context = { viewport, colorScheme };
    for (const path of ['/', '/setup#cvl_x', '/accept-invitation#cvl_x', '/reset-password#cvl_x']) {
      const page = await world.page(path, context);
      await page.locator('form').waitFor();
      await look(page, name, `entry-${path.replaceAll(/[^a-z]/g, '').replace('cvlx', '')}`);
    }
    const page = await world.signedIn({ context });
    const isPhone = viewport.width < 760;
    await page.locator('.message-draft').waitFor();
    await look(page, name, 'feed');
    if (isPhone) {
      await page.getByRole('button', { name: /^Menu/ }).click();
      await look(page, name, 'menu');
      await page.keyboard.press('Escape');
    }
    for (const [link, title] of views) {
      if (isPhone) await page.getByRole('button', { name: /^Menu/ }).click();
      await page
        .getByRole('navigation', { name: 'Views' })
        .getByRole('link', { name: link })
        .click();
      await page.getByRole('heading', { name: title, level: 1 }).waitFor();
      await look(page, name, title.toLowerCase());
      if (title === 'Agents') {
        await page.getByRole('button', { name: 'New agent' }).click();
        await look(page, name, 'new-agent');
        await page.keyboard.press('Escape');
      }
      if (title === 'Keys') {
        await page.getByRole('button', { name: 'New key', exact: true }).click();
        await page.getByLabel('Name').fill('attic watcher');
        await look(page, name, 'new-key');
        await page.getByRole('button', { name: 'Make the key' }).click();
        await page.locator('.secret code').waitFor();
        await look(page, name, 'key-made');
      }
    }
    expect(world.mishaps).toEqual([]);
  });
});
