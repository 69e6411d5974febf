// A page that came by plain HTTP under a name of the network: the browser has no clipboard, no locks and no randomUUID for it.
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { startBrowser } from '../support/page-browser.ts';
import { goodPassword, startPageWorld } from '../support/page-world.ts';

const name = 'gatehouse.lan';

let browser: Browser;

beforeAll(async () => {
  browser = await startBrowser([`--host-resolver-rules=MAP ${name} 127.0.0.1`]);
});
afterAll(async () => {
  await browser.close();
});

test('everything works without what browsers keep for secure pages', async () => {
  await using world = await startPageWorld(browser, { env: { ALLOWED_HOSTS: name } });
  const agentId = await world.agent(world.admin.token, 'Librarian');
  const account = { name: 'ada', display_name: 'ada', role: 'admin', password: goodPassword };
  await world.call(world.admin.token, '/users', { body: account });
  const url = `http://${name}:${new URL(world.url).port}`;
  const context = await browser.newContext();
  const errors: string[] = [];
  context.on('weberror', (error) => errors.push(error.error().message));
  const page = await context.newPage();
  await page.goto(url);
  expect(
    await page.evaluate(
      "[isSecureContext, 'clipboard' in navigator, 'locks' in navigator, 'randomUUID' in crypto]",
    ),
  ).toEqual([false, false, false, false]);
  await page.getByLabel('Name').fill('ada');
  await page.getByLabel('Password').fill(goodPassword);
  await page.getByRole('button', { name: 'Sign in' }).click();
  const composer = page.getByLabel('Message to Librarian');
  await composer.waitFor();

  // A sign-in that several tabs renew at once, without locks.
  const others = await Promise.all([1, 2, 3].map(() => context.newPage()));
  await Promise.all(others.map((other) => other.goto(url)));
  for (const other of others) await other.getByLabel('Message to Librarian').waitFor();
  for (const other of others) await other.close();
  await page.bringToFront();

  await page.locator('input[type=file]').setInputFiles({
    ...{ name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('some notes') },
  });
  await page.getByRole('button', { name: 'Remove notes.txt' }).waitFor();
  await composer.fill('Look at this');
  const send = page.getByRole('button', { name: 'Send' });
  await expect.poll(() => send.isEnabled()).toBe(true);
  await send.click();
  await page.locator('.message-user[data-event]', { hasText: 'Look at this' }).waitFor();

  const code = 'const gate = "open";\n\nenter(gate);';
  await world.post((await world.watcher(agentId)).token, agentId, {
    ...{ event_type: 'assistant_message', content: `Here:\n\n\`\`\`ts\n${code}\n\`\`\`` },
  });
  await page.locator('.code-block').getByRole('button', { name: 'Copy' }).click();
  await page.locator('.code-block').getByText('Copied').waitFor();
  await composer.focus();
  await page.keyboard.press('Control+V');
  expect(await composer.inputValue()).toBe(code);

  await page.goto(`${url}/keys`);
  await page.getByRole('button', { name: 'New key', exact: true }).click();
  await page.getByLabel('Name').fill('attic');
  await page.getByRole('button', { name: 'Make the key' }).click();
  const secret = await page.locator('.secret code').innerText();
  await page.locator('.secret').getByRole('button', { name: 'Copy' }).click();
  await page.locator('.secret').getByText('Copied').waitFor();
  await page.getByRole('navigation', { name: 'Feeds' }).getByText('Librarian').click();
  await composer.fill('');
  await page.keyboard.press('Control+V');
  expect(await composer.inputValue()).toBe(secret);
  expect(errors).toEqual([]);
  await context.close();
});
