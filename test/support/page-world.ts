// A vault with its page and a browser, for one test: people sign in as people do, and a watcher is played with a key.
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';

import type { VaultDatabase } from './vault-databases.ts';
import { startTestVault } from './vault-world.ts';
import type { TestVault, TestVaultOptions } from './vault-world.ts';

export const goodPassword = 'correct horse battery';

export type PageWorld = TestVault & {
  /** Of an admin who has no page. */
  admin: { token: string; userId: string };
  /** A page where somebody is signed in. */
  signedIn: (options?: {
    role?: 'admin' | 'agent' | 'viewer';
    name?: string;
    path?: string;
    context?: BrowserContextOptions;
    prepare?: (context: BrowserContext) => Promise<void>;
  }) => Promise<Page>;
  /** A page of nobody. */
  page: (
    path: string,
    options?: BrowserContextOptions,
    prepare?: (context: BrowserContext) => Promise<void>,
  ) => Promise<Page>;
  watcher: (agentId: string) => Promise<PlayedWatcher>;
  /** What went wrong in the pages: errors of scripts, requests to elsewhere, dialogs. */
  mishaps: string[];
};

export type PlayedWatcher = {
  claim: (eventId: string, leaseSecs?: number) => Promise<number>;
  say: (eventId: string, fence: number, event: Record<string, unknown>) => Promise<void>;
  release: (eventId: string, fence: number) => Promise<void>;
  report: (status: Record<string, unknown>) => Promise<void>;
  token: string;
};

export async function startPageWorld(
  browser: Browser,
  options: TestVaultOptions = {},
  kind: VaultDatabase = 'sqlite',
): Promise<PageWorld> {
  const vault = await startTestVault(kind, options);
  const contexts: BrowserContext[] = [];
  const mishaps: string[] = [];
  const admin = await vault.person('admin', 'zoe');

  const page: PageWorld['page'] = async (path, contextOptions = {}, prepare) => {
    const context = await browser.newContext({ locale: 'en-GB', ...contextOptions });
    contexts.push(context);
    watch(context, vault.url, mishaps);
    await prepare?.(context);
    const opened = await context.newPage();
    await opened.goto(vault.url + path);
    return opened;
  };
  const close = async (): Promise<void> => {
    for (const context of contexts) await context.close();
    await vault.close();
  };
  return {
    ...vault,
    ...{ admin, page, mishaps },
    async signedIn({ role = 'admin', name = 'ada', path = '/', context, prepare } = {}) {
      const account = { name, display_name: name, role, password: goodPassword };
      const made = await vault.call(admin.token, '/users', { body: account });
      if (made.status !== 201 && made.status !== 409) throw new Error(made.text);
      const opened = await page(path, context, prepare);
      await opened.getByLabel('Name').fill(name);
      await opened.getByLabel('Password').fill(goodPassword);
      await opened.getByRole('button', { name: 'Sign in' }).click();
      await opened.locator('.page').waitFor();
      return opened;
    },
    watcher: async (agentId) => playWatcher(vault, admin.userId, agentId),
    close,
    [Symbol.asyncDispose]: close,
  };
}

async function playWatcher(
  vault: TestVault,
  ownerId: string,
  agentId: string,
): Promise<PlayedWatcher> {
  const { token } = await vault.key(ownerId);
  const must = async (path: string, body: unknown, method = 'POST') => {
    const answer = await vault.call(token, path, { body, method });
    if (answer.status >= 300) throw new Error(`${path}: ${answer.text}`);
    return answer.body.data;
  };
  return {
    token,
    claim: async (eventId, leaseSecs = 60) =>
      (await must(`/events/${eventId}/claim`, { lease_secs: leaseSecs })).fence,
    async say(eventId, fence, event) {
      await must(`/agents/${agentId}/events`, { reply_to: eventId, fence, ...event });
    },
    async release(eventId, fence) {
      await must(`/events/${eventId}/claim/release`, { fence });
    },
    async report(status) {
      await must(`/agents/${agentId}/status`, status, 'PUT');
    },
  };
}

function watch(context: BrowserContext, url: string, mishaps: string[]): void {
  context.on('page', (page) => {
    page.on('pageerror', (err) => mishaps.push(`error: ${err.message}`));
    page.on('dialog', (dialog) => {
      mishaps.push(`dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    page.on('console', (message) => {
      if (/Content Security Policy/i.test(message.text())) mishaps.push(message.text());
    });
  });
  context.on('request', (request) => {
    const isOurs = request.url().startsWith(`${url}/`) || /^(blob|data):/.test(request.url());
    if (!isOurs) mishaps.push(`request: ${request.url()}`);
  });
}
