// The vault is started again under an open page: nobody has to load anything anew, and nothing that was written is lost.
import { mkdtempDisposableSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { startBrowser } from '../support/page-browser.ts';
import { goodPassword } from '../support/page-world.ts';
import { createTestDatabase, vaultDatabases } from '../support/vault-databases.ts';
import { startTestVault } from '../support/vault-world.ts';

let browser: Browser;

beforeAll(async () => {
  browser = await startBrowser();
});
afterAll(async () => {
  await browser.close();
});

describe.each(vaultDatabases)('on %s', (kind) => {
  test('the page says so, keeps the draft, and catches up by itself', async () => {
    using directory = mkdtempDisposableSync(join(tmpdir(), 'gatehouse-restart-'));
    await using database = await createTestDatabase(kind);
    const options = { database, dataDir: directory.path, keep: true };
    const first = await startTestVault(kind, options);
    const page = await browser.newPage();
    await page.goto((await first.vault.offerSetup(first.url)) ?? '');
    await page.getByLabel('Name').fill('ada');
    await page.getByLabel('Password').fill(goodPassword);
    await page.getByRole('button', { name: 'Set up' }).click();
    await page.getByText('Create the first one').waitFor();
    const other = await first.person('admin', 'ben');
    const agentId = await first.agent(other.token, 'Librarian');
    const composer = page.getByLabel('Message to Librarian');
    await page.getByRole('navigation', { name: 'Feeds' }).getByText('Librarian').click();
    await composer.fill('before the restart');
    await composer.press('Enter');
    await page.locator('.message[data-event]', { hasText: 'before the restart' }).waitFor();
    await composer.fill('a draft');

    await first.close();
    await page.getByText('Offline: the vault cannot be reached').waitFor();
    const env = { VAULT_PORT: new URL(first.url).port };
    await using second = await startTestVault(kind, { ...options, env });
    await second.post(other.token, agentId, { event_type: 'user_message', content: 'meanwhile' });
    await page.locator('.message', { hasText: 'meanwhile' }).waitFor();
    await expect.poll(() => page.getByText('Offline: the vault').count()).toBe(0);
    expect(await composer.inputValue()).toBe('a draft');
    await composer.press('Enter');
    await page.locator('.message[data-event]', { hasText: 'a draft' }).waitFor();
    expect(await page.locator('.message').count()).toBe(3);
    await page.close();
  });
});
