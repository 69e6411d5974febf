import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { startBrowser } from '../support/page-browser.ts';
import { goodPassword, startPageWorld } from '../support/page-world.ts';

let browser: Browser;

beforeAll(async () => {
  browser = await startBrowser();
});
afterAll(async () => {
  await browser.close();
});

describe('signing in', () => {
  test('a wrong password is told; a right one stays in no storage of the page', async () => {
    await using world = await startPageWorld(browser);
    await world.agent(world.admin.token, 'Librarian');
    const page = await world.signedIn();
    const stored = await page.evaluate(
      'JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie])',
    );
    expect(stored).not.toContain('eyJ');
    expect(stored).not.toContain('gatehouse_refresh');
    await page.getByRole('navigation', { name: 'Views' }).getByText('ada').click();
    await page.getByRole('button', { name: 'Sign out', exact: true }).click();
    await page.getByText('You are signed out.').waitFor();
    await page.getByLabel('Name').fill('ada');
    await page.getByLabel('Password').fill('not the password');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByText('The name or the password is wrong.').waitFor();
  });

  test('several tabs share a sign-in, and its end', async () => {
    await using world = await startPageWorld(browser);
    await world.agent(world.admin.token, 'Librarian');
    const first = await world.signedIn();
    const others = await Promise.all([1, 2, 3, 4].map(() => first.context().newPage()));
    // All at once: each has to renew the same sign-in.
    await Promise.all(others.map((page) => page.goto(world.url)));
    for (const page of others) await page.getByLabel('Message to Librarian').waitFor();
    await first.reload();
    await first.getByLabel('Message to Librarian').waitFor();
    await first.getByRole('navigation', { name: 'Views' }).getByText('ada').click();
    await first.getByRole('button', { name: 'Sign out', exact: true }).click();
    for (const page of others) await page.getByText('You signed out in another tab.').waitFor();
    expect(world.mishaps).toEqual([]);
  });

  test('an invitation makes an account; a link sets a new password', async () => {
    await using world = await startPageWorld(browser);
    const admin = await world.signedIn();
    await admin.getByRole('navigation', { name: 'Views' }).getByText('People').click();
    await admin.getByLabel('Role of whom you invite').selectOption('viewer');
    await admin.getByRole('button', { name: 'Invite' }).click();
    const link = new URL(await admin.locator('.secret code').innerText());
    const guest = await world.page(link.pathname + link.hash);
    await guest.getByLabel('Name').fill('ben');
    await guest.getByLabel('Password').fill(goodPassword);
    await guest.getByRole('button', { name: 'Join' }).click();
    await guest.getByText('No agents yet').first().waitFor();

    await admin.reload();
    await admin.getByRole('button', { name: 'New password for ben' }).click();
    const reset = new URL(await admin.locator('.secret code').innerText());
    const other = await world.page(reset.pathname + reset.hash);
    await other.getByLabel('New password').fill('another good password');
    await other.getByRole('button', { name: 'Set the password' }).click();
    await other.getByText('The password is changed.').waitFor();
    await other.getByRole('link', { name: 'To the sign-in' }).click();
    await other.getByLabel('Name').fill('ben');
    await other.getByLabel('Password').fill('another good password');
    await other.getByRole('button', { name: 'Sign in' }).click();
    await other.locator('.page').waitFor();
    expect(world.mishaps).toEqual([]);
  });
});

describe('agents', () => {
  test('are renamed, put in order, archived and brought back, in every page at once', async () => {
    await using world = await startPageWorld(browser);
    for (const name of ['One', 'Two', 'Three']) await world.agent(world.admin.token, name);
    const page = await world.signedIn();
    const watching = await world.signedIn({ name: 'ben', role: 'viewer' });
    const feeds = watching.getByRole('navigation', { name: 'Feeds' }).locator('a .clipped');
    await expect.poll(() => feeds.allInnerTexts()).toEqual(['One', 'Two', 'Three']);
    await page.getByRole('navigation', { name: 'Views' }).getByText('Agents').click();
    await page.getByRole('button', { name: 'Move Three up' }).click();
    await expect.poll(() => feeds.allInnerTexts()).toEqual(['One', 'Three', 'Two']);
    await page.getByRole('button', { name: 'Edit Two' }).click();
    await page.getByLabel('Name').fill('Second');
    await page.getByRole('button', { name: 'Save' }).click();
    await expect.poll(() => feeds.allInnerTexts()).toEqual(['One', 'Three', 'Second']);
    await page.getByRole('button', { name: 'Archive One' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Archive' }).click();
    await expect.poll(() => feeds.allInnerTexts()).toEqual(['Three', 'Second']);
    await page.getByRole('button', { name: 'Bring One back' }).click();
    await expect.poll(async () => (await feeds.allInnerTexts()).length).toBe(3);
    expect(await watching.getByText('You may read here, but not write.').count()).toBe(1);
    expect(world.mishaps).toEqual([]);
  });
});
