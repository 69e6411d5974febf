// Long feeds: a hundred events in the page, older ones on demand, and nobody's place is lost.
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { startBrowser } from '../support/page-browser.ts';
import { startPageWorld } from '../support/page-world.ts';
import type { PageWorld } from '../support/page-world.ts';
import { vaultDatabases } from '../support/vault-databases.ts';

let browser: Browser;

beforeAll(async () => {
  browser = await startBrowser();
});
afterAll(async () => {
  await browser.close();
});

async function write(world: PageWorld, agentId: string, from: number, to: number): Promise<void> {
  for (let index = from; index <= to; index += 1) {
    const content = `message number ${index}`;
    await world.post(world.admin.token, agentId, { event_type: 'user_message', content });
  }
}

const items = (page: Page) => page.locator('.feed [data-event]');
const scroller = (page: Page) => page.locator('.feed-scroller');
const isAtEnd = (page: Page) =>
  scroller(page).evaluate((box) => box.scrollHeight - box.scrollTop - box.clientHeight < 60);

describe.each(vaultDatabases)('a long feed on %s', (kind) => {
  test('shows the newest hundred of 150 events, and older ones on demand', async () => {
    await using world = await startPageWorld(browser, {}, kind);
    const agentId = await world.agent(world.admin.token, 'Librarian');
    await write(world, agentId, 1, 150);
    const page = await world.signedIn();
    await expect.poll(() => items(page).count()).toBe(100);
    expect(await items(page).last().innerText()).toContain('message number 150');
    expect(await items(page).first().innerText()).toContain('message number 51');
    await expect.poll(() => isAtEnd(page)).toBe(true);

    await write(world, agentId, 151, 155);
    await items(page).getByText('message number 155', { exact: true }).waitFor();
    expect(await items(page).count()).toBe(100);
    await expect.poll(() => isAtEnd(page)).toBe(true);

    await page.getByRole('button', { name: 'Show older' }).click();
    await items(page).getByText('message number 6', { exact: true }).waitFor();
    expect(await items(page).count()).toBe(100);
    await page.getByRole('button', { name: 'Show older' }).click();
    await items(page).getByText('message number 1', { exact: true }).waitFor();
    expect(await items(page).count()).toBe(100);
    expect(await page.getByRole('button', { name: 'Show older' }).count()).toBe(0);

    await page.getByRole('button', { name: 'Newest' }).click();
    await items(page).getByText('message number 155', { exact: true }).waitFor();
    await expect.poll(() => isAtEnd(page)).toBe(true);
    expect(world.mishaps).toEqual([]);
  });

  test('older ones than were loaded are fetched', async () => {
    await using world = await startPageWorld(browser, {}, kind);
    const agentId = await world.agent(world.admin.token, 'Librarian');
    await write(world, agentId, 1, 260);
    const page = await world.signedIn();
    await expect.poll(() => items(page).count()).toBe(100);
    for (const first of [111, 61, 11]) {
      await page.getByRole('button', { name: 'Show older' }).click();
      await items(page).getByText(`message number ${first}`, { exact: true }).waitFor();
      expect(await items(page).count()).toBe(100);
    }
  });

  test('does not move under the eyes of whoever has scrolled up', async () => {
    await using world = await startPageWorld(browser, {}, kind);
    const agentId = await world.agent(world.admin.token, 'Librarian');
    await write(world, agentId, 1, 120);
    const page = await world.signedIn();
    await expect.poll(() => items(page).count()).toBe(100);
    await expect.poll(() => isAtEnd(page)).toBe(true);
    await scroller(page).hover();
    await page.mouse.wheel(0, -1500);
    await page.getByRole('button', { name: 'Newest' }).waitFor();
    const seen = items(page).getByText('message number 95', { exact: true });
    const before = await seen.boundingBox();
    await write(world, agentId, 121, 125);
    await page.getByRole('button', { name: '5 new messages' }).waitFor();
    expect(await seen.boundingBox()).toEqual(before);
    expect(await items(page).count()).toBe(100);
    await page.getByRole('button', { name: '5 new messages' }).click();
    await items(page).getByText('message number 125', { exact: true }).waitFor();
    await expect.poll(() => isAtEnd(page)).toBe(true);
    expect(await items(page).count()).toBe(100);
  });
});
