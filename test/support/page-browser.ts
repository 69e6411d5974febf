// The real Chromium, headless, for the tests of the page.
import { existsSync } from 'node:fs';

import chromium from '@sparticuz/chromium';
import { chromium as playwright } from 'playwright-core';
import type { Browser } from 'playwright-core';

const flags = [
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
  '--no-sandbox',
];

export async function startBrowser(moreFlags: readonly string[] = []): Promise<Browser> {
  const executablePath = await chromium.executablePath();
  if (!existsSync(executablePath)) throw new Error(`there is no Chromium at ${executablePath}`);
  return await playwright.launch({
    executablePath,
    headless: true,
    args: [...flags, ...moreFlags],
  });
}
