// By keyboard alone, and what somebody hears who does not see the page.
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

/** What has the focus: its name for those who hear it, or its text. */
const focused = (page: Page) =>
  page.evaluate<string>(
    "document.activeElement?.ariaLabel ?? document.activeElement?.textContent.trim() ?? ''",
  );

/** Presses Tab until what is wanted has the focus. */
async function tabTo(page: Page, name: string): Promise<void> {
  for (let presses = 0; presses < 60; presses += 1) {
    if ((await focused(page)) === name) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`Tab does not come to “${name}”`);
}

describe('by keyboard', () => {
  test('the first Tab leads past the side, and the focus goes along to the view that is chosen', async () => {
    await using world = await startPageWorld(browser);
    await world.agent(world.admin.token, 'Librarian');
    await world.agent(world.admin.token, 'Night watch');
    const page = await world.signedIn();
    await page.getByText('Nothing here yet').waitFor();
    await page.reload();
    await page.getByText('Nothing here yet').waitFor();
    await page.keyboard.press('Tab');
    expect(await focused(page)).toBe('Skip to the content');
    await page.keyboard.press('Enter');
    await expect.poll(() => page.evaluate('document.activeElement.id')).toBe('main');
    await page.keyboard.press('Tab');
    expect(await focused(page)).toBe('Messages of Librarian');

    await page.reload();
    await page.getByText('Nothing here yet').waitFor();
    for (const [link, title] of [
      ['Agents', 'Agents'],
      ['System', 'System'],
      ['offlineNight watch', 'Night watch'],
    ] as const) {
      await tabTo(page, link);
      await page.keyboard.press('Enter');
      await page.getByRole('heading', { name: title, level: 1 }).waitFor();
      await expect.poll(() => focused(page)).toBe(title);
    }
    await page.getByText('Nothing here yet').waitFor();
    // And on from there: no way back through the side.
    await page.keyboard.press('Tab');
    expect(await focused(page)).toBe('Messages of Night watch');
    await page.goBack();
    await expect.poll(() => focused(page)).toBe('System');
  });

  test('a dialog begins with its first field, keeps the focus, and gives it back', async () => {
    await using world = await startPageWorld(browser);
    await world.agent(world.admin.token, 'Librarian');
    const page = await world.signedIn({ path: '/agents' });
    await page.getByRole('heading', { name: 'Agents', level: 1 }).waitFor();
    await tabTo(page, 'New agent');
    await page.keyboard.press('Enter');
    const dialog = page.getByRole('dialog', { name: 'New agent' });
    await dialog.waitFor();
    await expect
      .poll(() => dialog.getByLabel('Name').evaluate((field) => field.matches(':focus')))
      .toBe(true);
    for (let presses = 0; presses < 12; presses += 1) {
      await page.keyboard.press('Tab');
      // Outside there is the browser itself at most, none of the page.
      const isOutside = await page.evaluate(
        "document.activeElement !== document.body && document.activeElement.closest('dialog') === null",
      );
      expect(isOutside).toBe(false);
    }
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    expect(await focused(page)).toBe('New agent');

    await page.keyboard.press('Enter');
    await page.keyboard.type('Scribe');
    await page.keyboard.press('Enter');
    await dialog.waitFor({ state: 'detached' });
    await page.locator('.list').getByText('Scribe').waitFor();
    expect(await focused(page)).toBe('New agent');
  });

  test('the menu of a phone gives the focus to the view that was chosen, or back', async () => {
    await using world = await startPageWorld(browser);
    await world.agent(world.admin.token, 'Librarian');
    const page = await world.signedIn({ context: { viewport: { width: 390, height: 844 } } });
    await page.getByText('Nothing here yet').waitFor();
    await tabTo(page, 'Menu');
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    expect(await focused(page)).toBe('Menu');
    await page.keyboard.press('Enter');
    await tabTo(page, 'Keys');
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await expect.poll(() => focused(page)).toBe('Keys');
  });
});

/** Notes what is put into the places whose changes are read out. */
const listening = `
  globalThis.heard = [];
  new MutationObserver((changes) => {
    for (const { type, target, addedNodes } of changes) {
      const element = target.nodeType === 1 ? target : target.parentElement;
      const region = element?.closest('[role=log], [role=status], [role=alert], [aria-live]');
      if (region == null || region.ariaLive === 'off') continue;
      const texts = [...addedNodes].map((node) => node.textContent);
      heard.push(...(type === 'characterData' ? [element.textContent] : texts));
    }
  }).observe(document.body, { childList: true, characterData: true, subtree: true });
`;

const heard = (page: Page) => page.evaluate<string[]>('heard');

describe('what is read out', () => {
  test('that somebody thinks, and the answer once; no pieces of it, and nothing older', async () => {
    await using world = await startPageWorld(browser);
    const agentId = await world.agent(world.admin.token, 'Librarian');
    const post = async (content: string) =>
      await world.post(world.admin.token, agentId, { event_type: 'user_message', content });
    for (let index = 1; index <= 130; index += 1) await post(`earlier ${index}`);
    const watcher = await world.watcher(agentId);
    const page = await world.signedIn();
    await page.getByText('earlier 130', { exact: true }).waitFor();
    const { event_id: eventId } = await post('How are you?');
    await page.getByText('How are you?').waitFor();
    await page.evaluate(listening);
    const fence = await watcher.claim(eventId);
    await page.locator('.thinking').waitFor();
    for (const [index, piece] of ['It ', 'goes ', 'well'].entries()) {
      await watcher.say(eventId, fence, {
        ...{ event_type: 'assistant_delta', content: piece },
        metadata: { run_id: 'run_1', attempt: 1, message: 0, from: [0, 3, 8][index] },
      });
    }
    await page.locator('.message-draft', { hasText: 'It goes well' }).waitFor();
    expect(await heard(page)).toEqual(['Librarian is thinking']);
    await watcher.say(eventId, fence, {
      ...{ event_type: 'assistant_message', content: 'It goes well.' },
    });
    await page.locator('.message-assistant[data-event]').waitFor();
    const answers = (await heard(page)).filter((text) => text.includes('It goes well.'));
    expect(answers).toHaveLength(1);

    const before = (await heard(page)).length;
    await page.getByRole('button', { name: 'Show older' }).click();
    await page.getByText('earlier 1', { exact: true }).waitFor();
    expect((await heard(page)).slice(before).filter((text) => text.includes('earlier'))).toEqual(
      [],
    );
  });

  test('nothing moves for whoever wants no movement', async () => {
    await using world = await startPageWorld(browser);
    const agentId = await world.agent(world.admin.token, 'Librarian');
    const watcher = await world.watcher(agentId);
    const { event_id: eventId } = await world.post(world.admin.token, agentId, {
      ...{ event_type: 'user_message', content: 'Go' },
    });
    await watcher.claim(eventId);
    const moving = async (reducedMotion: 'reduce' | 'no-preference'): Promise<number> => {
      const page = await world.signedIn({ context: { reducedMotion } });
      await page.locator('.thinking').waitFor();
      return await page.evaluate(
        "document.getAnimations().filter((each) => each.playState === 'running').length",
      );
    };
    expect(await moving('no-preference')).toBeGreaterThan(0);
    expect(await moving('reduce')).toBe(0);
  });
});
