// The three services as compose.yml starts them: from the set-up link to an answer on the page; each of them started again; new
// credentials; all of them killed in the middle of a run.
import type { Browser, Page } from 'playwright-core';

import { startBrowser } from '../support/page-browser.ts';
import { check, eventually, say } from './check-list.ts';
import { compose, inGateway, killAll } from './compose.ts';
import type { ComposeSettings } from './compose.ts';

const vaultUrl = 'http://127.0.0.1:8700';
const account = { name: 'ada', password: 'correct horse battery' };

type FeedEvent = { event_id: string; event_type: string; reply_to: string | null; content: string };

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
    const token = await signIn();
    for (const service of ['gateway', 'vault', 'watcher']) {
      await compose(['restart', service], settings);
      // It shares the network of the gateway, which is another one now.
      if (service === 'gateway') await compose(['restart', 'model'], settings);
      const answers = await answersTo(token, `after ${service}`);
      await check(`and after a restart of the ${service}`, async () => answers, 1);
    }
    await compose(['run', '--rm', 'introduce', 'node', 'cli/introduce.ts', '--renew'], settings);
    await compose(['restart', 'watcher'], settings);
    const renewed = await answersTo(token, 'with new credentials');
    await check('and with new credentials of the watcher', async () => renewed, 1);

    const message = await post(token, 'Answer slowly.');
    await eventually('the run', async () =>
      (await feed(token)).some(({ reply_to: to }) => to === message.event_id) ? true : null,
    );
    await killAll();
    await startAll();
    const after = await answered(await signIn(), message);
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
  await page.getByLabel('Name').fill(account.name);
  await page.getByLabel('Password').fill(account.password);
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

/** How many answers there are, once there is one. */
async function answersTo(token: string, content: string): Promise<number> {
  return answered(token, await post(token, content));
}

async function answered(token: string, message: FeedEvent): Promise<number> {
  return eventually(`an answer to ${message.content}`, async () => {
    const answers = (await feed(token)).filter(
      ({ event_type: type, reply_to: to }) =>
        type === 'assistant_message' && to === message.event_id,
    );
    return answers.length === 0 ? null : answers.length;
  });
}

async function post(token: string, content: string): Promise<FeedEvent> {
  const path = `/agents/${await agentId(token)}/events`;
  return eventually('the vault to take a message', () =>
    ask(token, path, { event_type: 'user_message', content }),
  );
}

async function feed(token: string): Promise<FeedEvent[]> {
  return ask(token, `/agents/${await agentId(token)}/events?limit=200`);
}

async function agentId(token: string): Promise<string> {
  const [agent] = await eventually('the agents', () => ask(token, '/agents'));
  return agent.agent_id;
}

async function signIn(): Promise<string> {
  return (await eventually('a sign-in', () => ask(null, '/auth/login', account))).access_token;
}

// oxlint-disable-next-line typescript/no-explicit-any -- a check looks at what came, whatever it is
async function ask(token: string | null, path: string, body?: object): Promise<any> {
  const response = await fetch(`${vaultUrl}/api/v1${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: {
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  // oxlint-disable-next-line typescript/no-explicit-any -- as above
  const answer: any = await response.json();
  if (!response.ok) throw new Error(JSON.stringify(answer));
  return answer.data;
}
