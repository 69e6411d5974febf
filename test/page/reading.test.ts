// What is read and what is not, with the same person in two browsers.
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { startBrowser } from '../support/page-browser.ts';
import { startPageWorld } from '../support/page-world.ts';
import { vaultDatabases } from '../support/vault-databases.ts';

let browser: Browser;

beforeAll(async () => {
  browser = await startBrowser();
});
afterAll(async () => {
  await browser.close();
});

const unread = (page: Page) => page.getByRole('navigation', { name: 'Feeds' }).locator('.unread');

describe.each(vaultDatabases)('on %s', (kind) => {
  test('messages of others are unread until they are seen, in whichever browser', async () => {
    await using world = await startPageWorld(browser, {}, kind);
    await world.agent(world.admin.token, 'Librarian');
    const other = await world.agent(world.admin.token, 'Night watch');
    const [first, second] = [await world.signedIn(), await world.signedIn()];
    for (const page of [first, second]) await page.getByText('Nothing here yet').waitFor();
    for (const content of ['one', 'two']) {
      await world.post(world.admin.token, other, { event_type: 'user_message', content });
    }
    for (const page of [first, second]) {
      await expect.poll(() => unread(page).allTextContents()).toEqual(['2 unread']);
      await expect.poll(() => page.title()).toBe('(2) Librarian · Gatehouse');
    }
    await first.getByRole('navigation', { name: 'Feeds' }).getByText('Night watch').click();
    await expect.poll(() => unread(first).count()).toBe(0);
    await expect.poll(() => unread(second).count()).toBe(0);
    expect(await second.title()).toBe('Librarian · Gatehouse');
    // What one has written oneself is news to nobody else than the others.
    await first.getByLabel('Message to Night watch').fill('three');
    await first.getByLabel('Message to Night watch').press('Enter');
    await first.locator('.message-user[data-event]', { hasText: 'three' }).waitFor();
    await second.getByRole('navigation', { name: 'Feeds' }).getByText('Night watch').click();
    await second.locator('.message-user[data-event]', { hasText: 'three' }).waitFor();
    expect(await unread(second).count()).toBe(0);
    expect(world.mishaps).toEqual([]);
  });
});
