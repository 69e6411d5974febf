import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { startBrowser } from '../support/page-browser.ts';
import { goodPassword, startPageWorld } from '../support/page-world.ts';
import { vaultDatabases } from '../support/vault-databases.ts';

let browser: Browser;

beforeAll(async () => {
  browser = await startBrowser();
});
afterAll(async () => {
  await browser.close();
});

describe.each(vaultDatabases)('the feed on %s', (kind) => {
  test('from the set-up link to the first message', async () => {
    const { startTestVault } = await import('../support/vault-world.ts');
    await using vault = await startTestVault(kind);
    const link = await vault.vault.offerSetup(vault.url);
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(link ?? '');
    await page.getByLabel('Name').fill('ada');
    await page.getByLabel('Shown as').fill('Ada Lovelace');
    await page.getByLabel('Password').fill(goodPassword);
    await page.getByRole('button', { name: 'Set up' }).click();
    await page.getByRole('link', { name: 'Create the first one' }).click();
    await page.getByRole('button', { name: 'New agent' }).click();
    await page.getByLabel('Name').fill('Librarian');
    await page.getByRole('button', { name: 'Create' }).click();
    await page.getByRole('navigation', { name: 'Feeds' }).getByText('Librarian').click();
    const composer = page.getByLabel('Message to Librarian');
    await composer.fill('Hello');
    await composer.press('Shift+Enter');
    await composer.pressSequentially('there');
    await composer.press('Enter');
    const message = page.locator('.message-user[data-event]');
    await message.waitFor();
    expect(await message.locator('.message-body').innerText()).toBe('Hello\nthere');
    expect(page.url()).not.toContain('cvl_');
    // The sign-in outlives the page.
    await page.reload();
    await message.waitFor();
    await context.close();
  });

  test('two browsers see what the other one writes', async () => {
    await using world = await startPageWorld(browser, {}, kind);
    await world.agent(world.admin.token, 'Librarian');
    const [ada, ben] = [
      await world.signedIn({ name: 'ada' }),
      await world.signedIn({ name: 'ben', role: 'agent' }),
    ];
    await ada.getByLabel('Message to Librarian').fill('from Ada');
    await ada.getByLabel('Message to Librarian').press('Enter');
    await ben.locator('.message', { hasText: 'from Ada' }).waitFor();
    await ben.getByLabel('Message to Librarian').fill('from Ben');
    await ben.getByLabel('Message to Librarian').press('Enter');
    await ada.locator('.message', { hasText: 'from Ben' }).waitFor();
    expect(await ada.locator('.message').count()).toBe(2);
    expect(world.mishaps).toEqual([]);
  });

  test('dots from the claim on, text as it is written, and the answer in its place', async () => {
    await using world = await startPageWorld(browser, {}, kind);
    const agentId = await world.agent(world.admin.token, 'Librarian');
    const watcher = await world.watcher(agentId);
    const page = await world.signedIn();
    const composer = page.getByLabel('Message to Librarian');
    await composer.fill('How are you?');
    await composer.press('Enter');
    await page.getByText('Waiting until somebody answers for Librarian').waitFor();
    await watcher.report({ status: 'online' });
    await page.getByText('Waiting to be taken up').waitFor();
    const eventId =
      (await page.locator('.message-user[data-event]').getAttribute('data-event')) ?? '';
    expect(await page.locator('.thinking').count()).toBe(0);
    const fence = await watcher.claim(eventId);
    await page.locator('.thinking').waitFor();
    const delta = (content: string, message: number, from: number) =>
      watcher.say(eventId, fence, {
        event_type: 'assistant_delta',
        content,
        metadata: { run_id: 'run_1', attempt: 1, message, from },
      });
    await delta('Wrong sta', 0, 0);
    await page.locator('.message-draft', { hasText: 'Wrong sta' }).waitFor();
    await watcher.say(eventId, fence, {
      event_type: 'assistant_delta',
      metadata: { run_id: 'run_1', attempt: 1, superseded: [0] },
    });
    await delta('I am **f', 1, 0);
    await delta('ine**', 1, 8);
    await page.locator('.message-draft strong', { hasText: 'fine' }).waitFor();
    expect(await page.locator('.message-draft').innerText()).not.toContain('Wrong');
    await watcher.say(eventId, fence, {
      event_type: 'assistant_message',
      content: 'I am **fine**.',
      metadata: { outcome: 'completed', model: 'claude-test', duration_ms: 2300, cost_usd: 0.02 },
    });
    const answer = page.locator('.message-assistant[data-event]');
    await answer.waitFor();
    expect(await answer.innerText()).toContain('claude-test · 2.3 s');
    expect(await page.locator('.thinking').count()).toBe(0);
    expect(await page.getByText('Waiting to be taken up').count()).toBe(0);
    expect(world.mishaps).toEqual([]);
  });

  test('an answer goes on in a page that is loaded in the middle of it', async () => {
    await using world = await startPageWorld(browser, {}, kind);
    const agentId = await world.agent(world.admin.token, 'Librarian');
    const watcher = await world.watcher(agentId);
    const { event_id: eventId } = await world.post(world.admin.token, agentId, {
      ...{ event_type: 'user_message', content: 'Tell me a story' },
      metadata: { source: 'dashboard' },
    });
    const page = await world.signedIn();
    const fence = await watcher.claim(eventId);
    const say = (content: string, from: number) =>
      watcher.say(eventId, fence, {
        ...{ event_type: 'assistant_delta', content },
        metadata: { run_id: 'run_1', attempt: 1, message: 0, from },
      });
    await say('Once upon', 0);
    const draft = page.locator('.message-draft');
    await draft.getByText('Once upon', { exact: true }).waitFor();
    await page.reload();
    await draft.getByText('Once upon', { exact: true }).waitFor();
    await say(' a time', 9);
    await draft.getByText('Once upon a time', { exact: true }).waitFor();
    await watcher.say(eventId, fence, {
      ...{ event_type: 'assistant_message', content: 'Once upon a time there was a gate.' },
    });
    await page.locator('.message-assistant[data-event]').waitFor();
    await expect.poll(() => draft.count()).toBe(0);
    expect(await page.getByText('Once upon a time').count()).toBe(1);
    expect(world.mishaps).toEqual([]);
  });

  test('the dots go when nobody is heard of any more, and come back with the next attempt', async () => {
    await using world = await startPageWorld(browser, {}, kind);
    const agentId = await world.agent(world.admin.token, 'Librarian');
    const watcher = await world.watcher(agentId);
    const page = await world.signedIn();
    await page.getByLabel('Message to Librarian').fill('Anybody there?');
    await page.getByLabel('Message to Librarian').press('Enter');
    const message = page.locator('.message-user[data-event]');
    await message.waitFor();
    const eventId = (await message.getAttribute('data-event')) ?? '';
    // The lease is that of a watcher which dies with it.
    const fence = await watcher.claim(eventId, 5);
    await watcher.say(eventId, fence, {
      ...{ event_type: 'assistant_delta', content: 'I was ab' },
      metadata: { run_id: 'run_1', attempt: 1, message: 0, from: 0 },
    });
    await page.locator('.message-draft', { hasText: 'I was ab' }).waitFor();
    await message.getByText('Waiting').waitFor();
    expect(await page.locator('.thinking').count()).toBe(0);
    expect(await page.getByText('I was ab').count()).toBe(0);
    await watcher.claim(eventId);
    await page.locator('.thinking').waitFor();
    expect(await message.getByText('Waiting').count()).toBe(0);
    expect(world.mishaps).toEqual([]);
  });

  test('a stop is asked for, and failures say what to do', async () => {
    await using world = await startPageWorld(browser, {}, kind);
    const agentId = await world.agent(world.admin.token, 'Librarian');
    const watcher = await world.watcher(agentId);
    const page = await world.signedIn();
    const ask = async (text: string): Promise<string> => {
      await page.getByLabel('Message to Librarian').fill(text);
      await page.getByLabel('Message to Librarian').press('Enter');
      const message = page.locator('.message-user[data-event]', { hasText: text });
      await message.waitFor();
      return (await message.getAttribute('data-event')) ?? '';
    };
    const first = await ask('long work');
    const fence = await watcher.claim(first);
    await page.locator('.message-draft').getByRole('button', { name: 'Stop' }).click();
    await page.getByText('ada asked to stop.').waitFor();
    await page.locator('.message-draft').getByRole('button', { name: 'Stopping…' }).waitFor();
    const { body } = await world.call(
      watcher.token,
      `/agents/${agentId}/events?type=cancel_request`,
    );
    expect(body.data).toMatchObject([{ event_type: 'cancel_request', reply_to: first }]);
    await watcher.say(first, fence, {
      event_type: 'system',
      content: 'Stopped.',
      ends_claim: true,
      metadata: { outcome: 'cancelled' },
    });
    await page.locator('.notice', { hasText: 'Stopped.' }).waitFor();
    expect(await page.locator('.thinking').count()).toBe(0);

    const second = await ask('more work');
    const next = await watcher.claim(second);
    await watcher.say(second, next, {
      event_type: 'system',
      content: 'The limit is reached.',
      metadata: { notice: 'limit' },
    });
    await page.locator('.notice', { hasText: 'The limit is reached.' }).waitFor();
    expect(await page.locator('.thinking').count()).toBe(1);
    await watcher.release(second, next);
    await expect.poll(() => page.locator('.thinking').count()).toBe(0);
    const again = await watcher.claim(second);
    await watcher.say(second, again, {
      event_type: 'system',
      content: 'There is no answer: the gateway is not signed in.',
      ends_claim: true,
      metadata: { outcome: 'auth' },
    });
    const failure = page.locator('.notice-failure');
    await failure.waitFor();
    expect(await failure.innerText()).toContain('Sign the gateway in');
    await failure.getByRole('button', { name: 'Send again' }).click();
    await expect
      .poll(() => page.locator('.message-user', { hasText: 'more work' }).count())
      .toBe(2);
  });
});
