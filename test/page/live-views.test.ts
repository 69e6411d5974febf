// What somebody else changes is in the view that one has open, without a reload.
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

test('people, invitations, keys and sign-ins are those that there are now', async () => {
  await using world = await startPageWorld(browser);
  const { token, userId } = world.admin;
  const page = await world.signedIn({ path: '/people' });
  const must = async (path: string, body: unknown): Promise<void> => {
    expect((await world.call(token, path, { body })).status).toBe(201);
  };
  await page.getByText('zoe', { exact: false }).first().waitFor();
  await must('/users', {
    ...{
      name: 'grace',
      display_name: 'Grace',
      role: 'viewer',
      password: 'a long password of mine',
    },
  });
  await page.locator('.card.list > li', { hasText: 'Grace' }).waitFor();
  await must('/invitations', { role: 'viewer' });
  await page.getByRole('button', { name: /^Revoke/ }).waitFor();

  await page.getByRole('link', { name: 'Keys' }).click();
  await page.getByText('There are none yet.').waitFor();
  const { keyId } = await world.key(userId);
  await must('/keys', { name: 'attic watcher', scopes: ['agents:read'] });
  const keys = page.locator('.card.list > li');
  await keys.filter({ hasText: 'attic watcher' }).waitFor();
  expect(await keys.filter({ hasText: keyId }).count()).toBe(1);
  expect(world.mishaps).toEqual([]);
});

test('the audit log shows what is written into it, under older entries that were asked for as well', async () => {
  await using world = await startPageWorld(browser);
  const { token } = world.admin;
  const agent = await world.agent(token, 'Librarian');
  const post = async (count: number): Promise<void> => {
    for (let turn = 0; turn < count; turn += 1)
      await world.post(token, agent, { event_type: 'user_message', content: 'x' });
  };
  await post(60);
  const page = await world.signedIn({ path: '/audit' });
  const rows = page.locator('tbody tr');
  await expect.poll(() => rows.count()).toBe(50);
  await page.getByRole('button', { name: 'Show older' }).click();
  await expect.poll(() => rows.count()).toBeGreaterThan(60);
  const before = await rows.count();
  await post(3);
  await expect.poll(() => rows.count()).toBe(before + 3);
  await world.call(token, '/invitations', { body: { role: 'viewer' } });
  await rows.first().filter({ hasText: 'invitation.created' }).waitFor();
  // More than a page of news: what lies between is not known, so the newest page alone is shown.
  await page.context().setOffline(true);
  await post(60);
  await page.context().setOffline(false);
  await expect.poll(() => rows.count(), { timeout: 60_000 }).toBe(50);
  expect(await rows.first().innerText()).toContain('event.posted');
});
