// The three services as compose.yml starts them: from the set-up link to an answer on the page; each of them started again; new
// credentials; all of them killed in the middle of a run.
import type { Browser, Page } from 'playwright-core';

import { startBrowser } from '../support/page-browser.ts';
import { startedVault } from '../support/started-set.ts';
import { check, eventually, say } from './check-list.ts';
import { compose, inGateway, killAll } from './compose.ts';
import type { ComposeSettings } from './compose.ts';

const vaultUrl = 'http://127.0.0.1:8700';
const vault = startedVault('8700');

export async function checkWholeSet(database: string, settings: ComposeSettings): Promise<void> {
  say(`the whole set on ${database}`);
  const startAll = async (): Promise<void> => {
    await compose(['up', '-d', '--no-build'], settings);
    await eventually('the vault', () => fetch(`${vaultUrl}/api/v1/health/live`));
  };
  await startAll();
  await eventually('the model', () =>
    inGateway([
      'node',
      '-e',
      "fetch('http://127.0.0.1:9900/').then(() => 0, () => process.exit(1))",
    ]),
  );
  const browser = await startBrowser();
  try {
    const page = await setUp(browser, settings);
    await check('a message on the page is answered', () => answerOnPage(page, 'the first'), true);
    await vault.signIn();
    for (const service of ['gateway', 'vault', 'watcher']) {
      await compose(['restart', service], settings);
      // It shares the network of the gateway, which is another one now.
      if (service === 'gateway') await compose(['restart', 'model'], settings);
      const answers = await answered(await post(`after ${service}`));
      await check(`and after a restart of the ${service}`, async () => answers, 1);
    }
    await compose(['run', '--rm', 'introduce', 'node', 'cli/introduce.ts', '--renew'], settings);
    await compose(['restart', 'watcher'], settings);
    const renewed = await answered(await post('with new credentials'));
    await check('and with new credentials of the watcher', async () => renewed, 1);

    const message = await post('Answer slowly.');
    await eventually('the run', async () =>
      (await vault.events()).some(({ reply_to: to }) => to === message) ? true : null,
    );
    await killAll();
    await startAll();
    await eventually('a sign-in', async () => {
      await vault.signIn();
      return true;
    });
    const after = await answered(message);
    await check(
      'killed in the middle of a run and started again: one answer',
      async () => after,
      1,
    );
    await check('the page goes on without a reload', () => answerOnPage(page, 'the last'), true);
    const secrets = await compose([
      'exec',
      '-T',
      'watcher',
      'stat',
      '-c',
      '%a',
      '/watcher/vault-key',
    ]);
    await check("nobody else can read the watcher's key", async () => secrets.trim(), '600');
    const variables = await compose(['exec', '-T', 'vault', 'env']);
    await check(
      'the vault has no credential of claude',
      async () => /ANTHROPIC/.test(variables),
      false,
    );
  } finally {
    await browser.close();
  }
}

async function setUp(browser: Browser, settings: ComposeSettings): Promise<Page> {
  const link = await eventually('the set-up link', async () => {
    const log = await compose(['logs', '--no-log-prefix', 'vault'], settings);
    return /http\S+\/setup#\S+/.exec(log)?.[0] ?? null;
  });
  const page = await browser.newPage();
  await page.goto(link);
  await page.getByLabel('Name').fill(vault.account.name);
  await page.getByLabel('Password').fill(vault.account.password);
  await page.getByRole('button', { name: 'Set up' }).click();
  await page.getByLabel('Message to Claude').waitFor();
  return page;
}

async function answerOnPage(page: Page, content: string): Promise<boolean> {
  const message = page.getByLabel('Message to Claude');
  await message.fill(content);
  await message.press('Enter');
  await page.getByText(`was asked: ${content}`).waitFor({ timeout: 60_000 });
  return true;
}

/** Gives its id. */
async function post(content: string): Promise<string> {
  return eventually('the vault to take a message', () => vault.say(content));
}

/** How many answers there are, once there is one. */
async function answered(eventId: string): Promise<number> {
  return eventually('an answer', async () => {
    const answers = await vault.answersTo(eventId);
    return answers.length === 0 ? null : answers.length;
  });
}
