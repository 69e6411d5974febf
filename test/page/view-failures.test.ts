// Each view when the vault does not do what it is asked: a sentence that says what to do, and a way to try again.
import type { Browser, Page } from 'playwright-core';
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

/** Of each view, what it asks for, and what is there when it is answered. */
const views = [
  ['/agents', /\/api\/v1\/agents\?.*archived/, 'New agent'],
  ['/people', /\/api\/v1\/users\?/, 'zoe · never signed in'],
  ['/keys', /\/api\/v1\/keys\?/, 'There are none yet.'],
  ['/audit', /\/api\/v1\/auth\/audit\?/, 'sign_in.begun'],
  ['/system', /\/api\/v1\/hosts\?/, 'No host has reported yet.'],
  ['/profile', /\/api\/v1\/auth\/sign-ins/, 'Where you are signed in'],
  ['/', /\/api\/v1\/agents\/[^/]+\/events\?/, 'Nothing here yet'],
] as const;

type Failure = [status: number | null, code: string, text: string];

const failures: Failure[] = [
  [500, 'internal', 'Something went wrong in the vault: its log says more.'],
  [503, 'draining', 'The vault is stopping. Try again in a moment.'],
  [403, 'forbidden', 'It is not allowed. You may not do this. An admin can change your role.'],
  [null, 'nothing at all', 'The vault cannot be reached. Look at your network, or whether it runs'],
];

async function fail(page: Page, asked: RegExp, [status, code]: Failure): Promise<void> {
  await page.route(asked, async (route) => {
    if (status === null) return await route.abort('connectionrefused');
    const error = { code, message: 'it is not allowed', retryable: status !== 403 };
    return await route.fulfill({ status, json: { success: false, error, request_id: 'req-1' } });
  });
}

describe.each(failures)('a vault that says %s %s', (...failure) => {
  test('is told of in every view, which goes on when it is tried again', async () => {
    await using world = await startPageWorld(browser);
    await world.agent(world.admin.token, 'Librarian');
    const page = await world.signedIn();
    await page.getByText('Nothing here yet').waitFor();
    for (const [path, asked, content] of views) {
      await fail(page, asked, failure);
      await page.goto(world.url + path);
      const alert = page.getByRole('alert').filter({ hasText: failure[2] });
      await alert.waitFor();
      await page.unroute(asked);
      await page.getByRole('button', { name: 'Try again' }).click();
      await page.getByText(content).first().waitFor();
      await alert.waitFor({ state: 'detached' });
    }
    expect(world.mishaps).toEqual([]);
  });
});
