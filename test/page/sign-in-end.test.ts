// A sign-in that ends under an open page: it says so, and what was being written is there after the next one.
import type { Page } from 'playwright-core';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { startBrowser } from '../support/page-browser.ts';
import { goodPassword, startPageWorld } from '../support/page-world.ts';
import type { PageWorld } from '../support/page-world.ts';

let browser: Browser;

beforeAll(async () => {
  browser = await startBrowser();
});
afterAll(async () => {
  await browser.close();
});

async function userId(world: PageWorld, name: string): Promise<{ id: string; version: number }> {
  const { body } = await world.call(world.admin.token, '/users');
  const users: { user_id: string; name: string; version: number }[] = body.data;
  const user = users.find((each) => each.name === name);
  return { id: user?.user_id ?? '', version: user?.version ?? 0 };
}

/** Each ends all of what Ada has open, or gives what she signs in with now. */
const ends: readonly [string, (world: PageWorld, page: Page) => Promise<string | null>][] = [
  [
    'from another browser',
    async (world) => {
      const other = await world.signedIn({ path: '/profile' });
      await other.getByRole('button', { name: 'Sign out there' }).click();
      return goodPassword;
    },
  ],
  [
    'by a new password',
    async (world) => {
      const { id } = await userId(world, 'ada');
      const path = `/users/${id}/password-reset`;
      const { body } = await world.call(world.admin.token, path, { method: 'POST' });
      const token = new URL(body.data.link).hash.slice(1);
      const password = 'another good password';
      const answer = await world.call(null, '/auth/reset-password', { body: { token, password } });
      expect(answer.status).toBeLessThan(300);
      return password;
    },
  ],
  [
    'because the account is shut',
    async (world) => {
      const { id, version } = await userId(world, 'ada');
      const answer = await world.call(world.admin.token, `/users/${id}`, {
        ...{ method: 'PATCH', body: { disabled: true }, headers: { 'if-match': `"${version}"` } },
      });
      expect(answer.status).toBe(200);
      return null;
    },
  ],
];

describe('a sign-in that ends', () => {
  test.each(ends)('%s', async (_how, end) => {
    await using world = await startPageWorld(browser);
    await world.agent(world.admin.token, 'Librarian');
    const page = await world.signedIn();
    const composer = page.getByLabel('Message to Librarian');
    await composer.fill('half a sent');
    const password = await end(world, page);
    await page.getByText('Your sign-in is over: sign in again.').waitFor();
    expect(await page.getByText('Librarian').count()).toBe(0);
    await page.getByLabel('Name').fill('ada');
    await page.getByLabel('Password').fill(password ?? goodPassword);
    await page.getByRole('button', { name: 'Sign in' }).click();
    if (password === null) {
      await page.getByText('The name or the password is wrong.').waitFor();
      return;
    }
    await composer.waitFor();
    expect(await composer.inputValue()).toBe('half a sent');
    expect(world.mishaps).toEqual([]);
  });

  test('somebody else who signs in at the same page does not find what was being written', async () => {
    await using world = await startPageWorld(browser);
    await world.agent(world.admin.token, 'Librarian');
    await (await world.signedIn({ name: 'ben' })).context().close();
    const page = await world.signedIn();
    await page.getByLabel('Message to Librarian').fill('for my eyes only');
    await page.getByRole('navigation', { name: 'Views' }).getByText('ada').click();
    await page.getByRole('button', { name: 'Sign out', exact: true }).click();
    await page.getByLabel('Name').fill('ben');
    await page.getByLabel('Password').fill(goodPassword);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('navigation', { name: 'Feeds' }).getByText('Librarian').click();
    expect(await page.getByLabel('Message to Librarian').inputValue()).toBe('');
  });
});
