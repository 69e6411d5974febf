// The vault is killed and started again under an open page: nobody has to load anything anew, and nothing that was written is lost.
import { mkdtempDisposableSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { startBrowser } from '../support/page-browser.ts';
import { goodPassword } from '../support/page-world.ts';
import { createTestDatabase, vaultDatabases } from '../support/vault-databases.ts';
import { startVaultProcess } from '../support/vault-process.ts';
import type { VaultProcess } from '../support/vault-process.ts';
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
    const world = await startTestVault(kind, { database, dataDir: directory.path, keep: true });
    const { token: adminToken, userId } = await world.person('admin', 'ben');
    const account = { name: 'ada', display_name: 'ada', role: 'admin', password: goodPassword };
    await world.call(adminToken, '/users', { body: account });
    const agentId = await world.agent(adminToken, 'Librarian');
    const { token } = await world.key(userId);
    await world.close();
    const must = async (vault: VaultProcess, path: string, body: unknown) => {
      const answer = await vault.call(token, path, { body });
      if (answer.status >= 300) throw new Error(answer.text);
      return answer.body.data;
    };

    const first = await startVaultProcess(directory.path, database);
    const page = await browser.newPage();
    await page.goto(first.url);
    await page.getByLabel('Name').fill('ada');
    await page.getByLabel('Password').fill(goodPassword);
    await page.getByRole('button', { name: 'Sign in' }).click();
    const composer = page.getByLabel('Message to Librarian');
    await composer.fill('before the restart');
    await composer.press('Enter');
    const asked = page.locator('.message[data-event]', { hasText: 'before the restart' });
    await asked.waitFor();
    const eventId = (await asked.getAttribute('data-event')) ?? '';
    const { fence } = await must(first, `/events/${eventId}/claim`, { lease_secs: 600 });
    const answer = { reply_to: eventId, fence };
    await must(first, `/agents/${agentId}/events`, {
      ...{ ...answer, event_type: 'assistant_delta', content: 'Half an ' },
      metadata: { run_id: 'run_1', attempt: 1, message: 0, from: 0 },
    });
    await page.locator('.message-draft', { hasText: 'Half an' }).waitFor();
    await page.evaluate('globalThis.isSamePage = true');
    await composer.fill('a draft');

    await first.kill();
    await page.getByText('Offline: the vault cannot be reached').waitFor();
    expect(await page.locator('.message-draft', { hasText: 'Half an' }).count()).toBe(1);
    const env = { VAULT_PORT: new URL(first.url).port };
    await using second = await startVaultProcess(directory.path, database, env);
    await must(second, `/agents/${agentId}/events`, {
      ...{ event_type: 'user_message', content: 'meanwhile' },
    });
    await must(second, `/agents/${agentId}/events`, {
      ...{ ...answer, event_type: 'assistant_message', content: 'Half an answer, and the rest.' },
    });
    await page.locator('.message', { hasText: 'meanwhile' }).waitFor();
    await page.locator('.message-assistant[data-event]', { hasText: 'and the rest.' }).waitFor();
    await expect.poll(() => page.getByText('Offline: the vault').count()).toBe(0);
    expect(await page.locator('.message-draft').count()).toBe(0);
    expect(await composer.inputValue()).toBe('a draft');
    await composer.press('Enter');
    await page.locator('.message[data-event]', { hasText: 'a draft' }).waitFor();
    expect(await page.locator('.message').count()).toBe(4);
    expect(await page.evaluate('globalThis.isSamePage')).toBe(true);
    await page.close();
  });
});
