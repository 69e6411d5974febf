import { readFile } from 'node:fs/promises';

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

/** Files as the browser gives them when somebody drops or pastes them. */
const giving = `(area, { type, names }) => {
  const data = new DataTransfer();
  for (const name of names) data.items.add(new File(['of ' + name], name, { type: 'text/plain' }));
  const options = { bubbles: true, cancelable: true };
  area.dispatchEvent(
    type === 'drop'
      ? new DragEvent('drop', { ...options, dataTransfer: data })
      : new ClipboardEvent('paste', { ...options, clipboardData: data }),
  );
}`;

async function give(page: Page, type: 'drop' | 'paste', names: readonly string[]): Promise<void> {
  await page.locator('.composer textarea').waitFor();
  const area = "document.querySelector('.composer textarea')";
  await page.evaluate(`(${giving})(${area}, ${JSON.stringify({ type, names })})`);
}

describe('files for a message', () => {
  test('are dropped and pasted, under any name, and one that was taken out is not sent', async () => {
    await using world = await startPageWorld(browser);
    const agentId = await world.agent(world.admin.token, 'Librarian');
    const page = await world.signedIn();
    const odd = '<img src=x onerror=alert(1)> & more.txt';
    await give(page, 'drop', ['one.txt', odd]);
    await give(page, 'paste', ['two.txt', 'three.txt']);
    await page.getByRole('button', { name: 'Remove three.txt' }).click();
    const send = page.getByRole('button', { name: 'Send' });
    await expect.poll(() => send.isEnabled()).toBe(true);
    await send.click();
    const message = page.locator('.message-user[data-event]');
    await message.waitFor();
    const names = message.locator('.attachment .clipped');
    expect(await names.allInnerTexts()).toEqual(['one.txt', odd, 'two.txt']);
    expect(await message.locator('img').count()).toBe(0);
    const { body } = await world.call(world.admin.token, `/agents/${agentId}/events`);
    const [event] = body.data.filter((each: { event_type: string }) =>
      each.event_type.startsWith('user'),
    );
    expect(event.attachments.map(({ name }: { name: string }) => name)).toEqual([
      ...['one.txt', odd, 'two.txt'],
    ]);
    expect(world.mishaps).toEqual([]);
  });

  test('that are too large or too many are named with the reason, and the others go', async () => {
    await using world = await startPageWorld(browser, { env: { ATTACHMENT_LIMIT_MB: '1' } });
    await world.agent(world.admin.token, 'Librarian');
    const page = await world.signedIn();
    const picker = page.locator('input[type=file]');
    await picker.setInputFiles([
      { name: 'film.bin', mimeType: 'text/plain', buffer: Buffer.alloc(20 * 2 ** 20, 'a') },
      { name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('some notes') },
    ]);
    const list = page.getByRole('list', { name: 'Files of this message' }).getByRole('listitem');
    await list.filter({ hasText: 'film.bin' }).getByText('1 MB').waitFor();
    await list.filter({ hasText: 'notes.txt' }).getByText('10 bytes').waitFor();
    await give(
      page,
      'drop',
      Array.from({ length: 16 }, (_, index) => `extra-${index + 1}.txt`),
    );
    const extra = list.filter({ hasText: 'extra-16.txt' });
    await extra.getByText('A message takes 16 files at most.').waitFor();
    const send = page.getByRole('button', { name: 'Send' });
    await expect.poll(() => send.isEnabled()).toBe(true);
    await send.click();
    const message = page.locator('.message-user[data-event]');
    await message.waitFor();
    expect(await message.locator('.attachment').count()).toBe(16);
    expect(world.mishaps).toEqual([]);
  });
});
