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

test('a link that was made on the host signs in when it is opened, once, whoever was there before', async () => {
  await using world = await startPageWorld(browser);
  await world.agent(world.admin.token, 'Librarian');
  const { links } = world.vault.people;
  const { token } = await world.vault.database.write((scope) =>
    links.offerSignIn(scope, world.admin),
  );
  const page = await world.signedIn({ name: 'ben', role: 'viewer' });
  await page.goto(`${world.url}/sign-in#${token}`);
  const views = page.getByRole('navigation', { name: 'Views' });
  await views.getByText('zoe').waitFor();
  await page.getByLabel('Message to Librarian').waitFor();
  expect(page.url()).not.toContain(token);
  await page.reload();
  await views.getByText('zoe').waitFor();

  const other = await world.page(`/sign-in#${token}`);
  await other.getByText('this link does not work, or not any more').waitFor();
  await other.getByText('Sign in with a password').click();
  await other.getByLabel('Password').waitFor();
  const cut = await world.page('/sign-in');
  await cut.getByText('This link is not whole').waitFor();
  expect(world.mishaps).toEqual([]);
});
