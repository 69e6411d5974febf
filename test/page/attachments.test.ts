import { readFile } from 'node:fs/promises';

import type { Browser } from 'playwright-core';
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

const pixel = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);

describe.each(vaultDatabases)('files of messages on %s', (kind) => {
  test('are uploaded, shown and saved', async () => {
    await using world = await startPageWorld(browser, {}, kind);
    await world.agent(world.admin.token, 'Librarian');
    const page = await world.signedIn({ context: { acceptDownloads: true } });
    await page.locator('input[type=file]').setInputFiles([
      { name: 'pixel.png', mimeType: 'image/png', buffer: pixel },
      { name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('some notes') },
    ]);
    await page.getByRole('button', { name: 'Remove notes.txt' }).waitFor();
    const send = page.getByRole('button', { name: 'Send' });
    await expect.poll(() => send.isEnabled()).toBe(true);
    await send.click();
    const picture = page.locator('img.picture');
    await picture.waitFor();
    expect(await picture.getAttribute('alt')).toBe('pixel.png');
    expect(
      await picture.evaluate((image) => (image as { naturalWidth?: number }).naturalWidth),
    ).toBe(1);
    const saving = page.waitForEvent('download');
    await page.getByRole('button', { name: /^Save notes\.txt/ }).click();
    const download = await saving;
    expect(download.suggestedFilename()).toBe('notes.txt');
    expect(await readFile(await download.path(), 'utf8')).toBe('some notes');
    expect(world.mishaps).toEqual([]);
  });
});
