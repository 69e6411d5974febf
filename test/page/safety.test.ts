// What models, programs and people write is shown and does nothing.
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { startBrowser } from '../support/page-browser.ts';
import { startPageWorld } from '../support/page-world.ts';

const elsewhere = 'http://elsewhere.example';

/** Each would call `mark` or ask somebody elsewhere. */
const payloads = [
  '<script>mark()</script>',
  '<img src=x onerror=mark()>',
  `<img src="${elsewhere}/a.png">`,
  `![picture](${elsewhere}/b.png)`,
  '![x](x"onerror="mark())',
  '<svg onload=mark()></svg>',
  '<svg><script>mark()</script></svg>',
  `<iframe src="javascript:parent.mark()"></iframe>`,
  `<iframe srcdoc="<script>parent.mark()</script>"></iframe>`,
  '[click](javascript:mark())',
  '[click](JaVaScRiPt:mark())',
  '[click](java\tscript:mark())',
  '[click](&#106;avascript:mark())',
  '[click](data:text/html,<script>mark()</script>)',
  '[click](vbscript:mark())',
  '<javascript:mark()>',
  '[click](blob:http://127.0.0.1/x)',
  '[a]: javascript:mark()\n\n[click][a]',
  '<a href="javascript:mark()">click</a>',
  '<body onload=mark()>',
  '<details open ontoggle=mark()><summary>x</summary></details>',
  `<link rel=stylesheet href="${elsewhere}/c.css">`,
  `<style>@import "${elsewhere}/d.css";</style>`,
  `<meta http-equiv=refresh content="0;url=${elsewhere}/">`,
  `<form action="${elsewhere}"><button>click</button></form>`,
  '<math><mtext></form><form><mglyph><style></math><img src onerror=mark()>',
  '"><img src=x onerror=mark()>',
  "';mark();//",
  '```html" onmouseover="mark()\n<script>mark()</script>\n```',
  '<input autofocus onfocus=mark()>',
  '| a |\n|---|\n| <img src=x onerror=mark()> |',
  'x[^1]\n\n[^1]: <img src=x onerror=mark()>',
];

let browser: Browser;

beforeAll(async () => {
  browser = await startBrowser();
});
afterAll(async () => {
  await browser.close();
});

async function markWhenCalled(context: BrowserContext): Promise<void> {
  await context.addInitScript(() => {
    Object.assign(globalThis, { mark: () => Object.assign(globalThis, { marked: true }) });
  });
}

async function isMarked(page: Page): Promise<boolean> {
  return await page.evaluate(() => 'marked' in globalThis);
}

describe('what others have written', () => {
  test('runs nothing, wherever it stands', async () => {
    await using world = await startPageWorld(browser);
    const name = '<img src=x onerror=mark()>';
    const agentId = await world.agent(world.admin.token, name);
    const watcher = await world.watcher(agentId);
    for (const [index, content] of payloads.entries()) {
      const type = ['user_message', 'assistant_message', 'system', 'odd.type'][index % 4];
      await world.post(watcher.token, agentId, {
        event_type: index % 2 === 0 ? 'assistant_message' : type,
        content,
        metadata: { outcome: 'crashed', model: content, [content.slice(0, 90)]: content },
      });
    }
    await watcher.report({ status: 'error', status_text: payloads[1] });
    await world.call(watcher.token, '/hosts/odd', {
      method: 'PUT',
      body: { health: payloads[1], gateway: { claude_version: payloads[5], reason: payloads[0] } },
    });
    const form = new FormData();
    form.append('file', new Blob(['x'], { type: 'text/plain' }), '<img src=x onerror=mark()>.txt');
    const uploaded = await fetch(`${world.url}/api/v1/agents/${agentId}/attachments`, {
      ...{ method: 'POST', body: form, headers: { authorization: `Bearer ${watcher.token}` } },
    });
    const { data } = (await uploaded.json()) as { data: { attachment_id: string } };
    await world.post(watcher.token, agentId, {
      ...{ event_type: 'user_message', content: 'file', attachments: [data.attachment_id] },
    });
    const other = await world.signedIn({ prepare: markWhenCalled });
    await other.locator('.attachment').waitFor();
    expect(await other.locator('[data-event]').count()).toBeGreaterThanOrEqual(payloads.length);
    expect(await other.evaluate('typeof mark')).toBe('function');
    expect(
      await other.locator('.feed .markdown span', { hasText: 'click' }).count(),
    ).toBeGreaterThan(3);
    expect(await other.locator('.feed img:not(.picture)').count()).toBe(0);
    for (const link of await other.locator('.feed a').all()) {
      expect(await link.getAttribute('href')).toMatch(/^(https?|mailto):/);
      expect(await link.getAttribute('rel')).toBe('noopener noreferrer');
    }
    for (const text of await other.locator('.feed .markdown span', { hasText: 'click' }).all()) {
      await text.click({ timeout: 5000 });
    }
    for (const view of ['Agents', 'People', 'Keys', 'Audit', 'System']) {
      await other.getByRole('navigation', { name: 'Views' }).getByText(view).click();
      await other.getByRole('heading', { name: view, level: 1 }).waitFor();
      await other.waitForTimeout(300);
    }
    expect(await isMarked(other)).toBe(false);
    expect(world.mishaps).toEqual([]);
    expect(other.context().pages()).toHaveLength(1);
  });
});
