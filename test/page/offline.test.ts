// The vault goes away and comes back: the page says so, keeps what was written, and misses nothing.
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { startBrowser } from '../support/page-browser.ts';
import { startPageWorld } from '../support/page-world.ts';

let browser: Browser;

beforeAll(async () => {
  browser = await startBrowser();
});
afterAll(async () => {
  await browser.close();
});

describe('a page without its vault', () => {
  test('says that it is offline, and catches up', async () => {
    await using world = await startPageWorld(browser);
    const agentId = await world.agent(world.admin.token, 'Librarian');
    const page = await world.signedIn();
    await page.getByText('Nothing here yet').waitFor();
    await page.context().setOffline(true);
    await page.getByText('Offline: the vault cannot be reached').waitFor();
    const composer = page.getByLabel('Message to Librarian');
    await composer.fill('written offline');
    await composer.press('Enter');
    await page.getByText('Not sent yet: it goes when the vault is back.').waitFor();
    await world.post(world.admin.token, agentId, {
      ...{ event_type: 'user_message', content: 'meanwhile' },
    });
    await page.context().setOffline(false);
    await page.locator('.message', { hasText: 'meanwhile' }).waitFor();
    await page.locator('.message[data-event]', { hasText: 'written offline' }).waitFor();
    await expect.poll(() => page.getByText('Offline: the vault').count()).toBe(0);
    const { body } = await world.call(world.admin.token, `/agents/${agentId}/events`);
    const written = body.data.filter(
      ({ content }: { content: string }) => content === 'written offline',
    );
    expect(written).toHaveLength(1);
    expect(await page.locator('.message').count()).toBe(2);
  });

  test('a message that gets no answer is sent again under the same key, and is there once', async () => {
    await using world = await startPageWorld(browser);
    const agentId = await world.agent(world.admin.token, 'Librarian');
    const page = await world.signedIn();
    const keys: (string | undefined)[] = [];
    let isLost = true;
    await page.route('**/agents/*/events', async (route) => {
      if (route.request().method() !== 'POST') return route.continue();
      keys.push(route.request().headers()['idempotency-key']);
      if (!isLost) return route.continue();
      // The vault has it, but the page does not hear of it.
      isLost = false;
      await route.fetch();
      return route.abort('connectionreset');
    });
    await page.getByLabel('Message to Librarian').fill('once');
    await page.getByLabel('Message to Librarian').press('Enter');
    const again = page.locator('.message-outgoing').getByRole('button', { name: 'Try again' });
    await again.click();
    await expect.poll(() => page.locator('.message-outgoing').count()).toBe(0);
    expect(await page.locator('.message').count()).toBe(1);
    expect(keys).toHaveLength(2);
    expect(keys[0]).toBe(keys[1]);
    const { body } = await world.call(
      world.admin.token,
      `/agents/${agentId}/events?type=user_message`,
    );
    expect(body.data).toHaveLength(1);
  });
});
