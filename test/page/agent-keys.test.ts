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

test('an agent leads to the keys that reach it, and to one for it alone', async () => {
  await using world = await startPageWorld(browser);
  const { admin } = world;
  const librarian = await world.agent(admin.token, 'Librarian');
  const other = await world.agent(admin.token, 'Night watch');
  const bound = await world.key(admin.userId, { agents: [other] });
  const unbound = await world.key(admin.userId);
  const page = await world.signedIn({ path: '/agents' });
  await page.getByRole('link', { name: 'Keys of Librarian' }).click();
  await page.getByText('Those that reach Librarian.').waitFor();
  const items = page.locator('.card.list > li');
  await expect.poll(() => items.count()).toBe(1);
  expect(await items.innerText()).toContain(unbound.keyId);
  expect(await items.innerText()).toContain('For all agents');
  await page.getByRole('button', { name: 'New key', exact: true }).click();
  await page.keyboard.type('attic watcher');
  expect(await page.getByLabel('For the agents').inputValue()).toBe(librarian);
  await page.getByRole('button', { name: 'Make the key' }).click();
  const secret = await page.locator('.secret code').innerText();
  await items.filter({ hasText: 'For Librarian' }).getByText('attic watcher').waitFor();
  const seen = await world.call(secret, '/agents');
  expect(seen.body.data.map(({ name }: { name: string }) => name)).toEqual(['Librarian']);

  await page.getByRole('link', { name: 'Show all' }).click();
  await expect.poll(() => items.count()).toBe(3);
  expect(await items.filter({ hasText: bound.keyId }).innerText()).toContain('For Night watch');
  await page.goBack();
  await expect.poll(() => items.count()).toBe(2);
  expect(world.mishaps).toEqual([]);
});
