// In the real Chromium: from the key press that sends a message to its answer on the screen, and where that time goes.
import type { Page } from 'playwright-core';

import { startBrowser } from '../support/page-browser.ts';
import { eventually, percentile, startBenchSet } from './bench-set.ts';
import type { BenchSet } from './bench-set.ts';
import { answered, realSetEnvironment } from './message-to-run.ts';
import { startStubProcess } from './stub-process.ts';
import type { Row } from './table.ts';

const messages = 40;
const p50TargetMs = 1000;
const p95TargetMs = 2000;

/** Points in time, of one clock. */
type Way = {
  key: number;
  stored: number;
  accepted: number;
  ended: number;
  posted: number;
  shown: number;
};

const parts: [name: string, from: keyof Way, to: keyof Way][] = [
  ['key press -> message in the vault', 'key', 'stored'],
  ['-> run accepted by the gateway', 'stored', 'accepted'],
  ['-> run ended (process, model)', 'accepted', 'ended'],
  ['-> answer in the vault', 'ended', 'posted'],
  ['-> answer on the screen', 'posted', 'shown'],
];

/** In the page: remembers when Enter was pressed, and when each answer was painted. */
const watchThePage = `
  window.seen = { key: 0, shown: new Map() };
  addEventListener('keydown', (event) => {
    if (event.key === 'Enter') seen.key = performance.timeOrigin + event.timeStamp;
  }, true);
  new MutationObserver(() => {
    for (const match of document.body.innerText.matchAll(/was asked: (key \\d+)$/gm)) {
      if (seen.shown.has(match[1])) continue;
      seen.shown.set(match[1], 0);
      requestAnimationFrame(() => seen.shown.set(match[1], performance.timeOrigin + performance.now()));
    }
  }).observe(document.body, { subtree: true, childList: true, characterData: true });
`;

export async function measureKeyToScreen(): Promise<Row[]> {
  await using model = await startStubProcess();
  await using set = await startBenchSet(await realSetEnvironment(model.url));
  const browser = await startBrowser();
  try {
    const page = await signedIn(set, await browser.newPage());
    await answered(set, await set.say('the first one makes the session'));
    await page.evaluate(watchThePage);
    const ways: Way[] = [];
    for (let index = 0; index < messages; index += 1) ways.push(await send(set, page, index));
    const whole = ways.map(({ key, shown }) => shown - key);
    const shares = parts.map(([name, from, to]) => {
      const samples = ways.map((way) => way[to] - way[from]);
      const mean = samples.reduce((sum, each) => sum + each, 0) / samples.length;
      const all = whole.reduce((sum, each) => sum + each, 0) / whole.length;
      const p50 = percentile(samples, 0.5).toFixed(0);
      return `${name}: p50 ${p50} ms, ${((100 * mean) / all).toFixed(0)} % of the whole`;
    });
    return [
      row('p50', percentile(whole, 0.5), p50TargetMs, whole.length, shares),
      row('p95', percentile(whole, 0.95), p95TargetMs, whole.length, []),
    ];
  } finally {
    await browser.close();
  }
}

async function signedIn({ vaultUrl, account }: BenchSet, page: Page): Promise<Page> {
  await page.goto(vaultUrl);
  await page.getByLabel('Name').fill(account.name);
  await page.getByLabel('Password').fill(account.password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByLabel('Message to Claude').waitFor();
  return page;
}

async function send(set: BenchSet, page: Page, index: number): Promise<Way> {
  const content = `key ${index}`;
  const composer = page.getByLabel('Message to Claude');
  await composer.fill(content);
  await composer.press('Enter');
  const seen = await eventually(async () => {
    const found: { key: number; shown: number } = await page.evaluate(
      `({ key: seen.key, shown: seen.shown.get(${JSON.stringify(content)}) ?? 0 })`,
    );
    return found.shown > 0 ? found : undefined;
  });
  const events = await set.events();
  const message = events.find(
    ({ event_type: type, content: said }) => type === 'user_message' && said === content,
  );
  const answer = events.find(
    ({ event_type: type, reply_to: to }) =>
      type === 'assistant_message' && to === message?.event_id,
  );
  const run = await eventually(async () =>
    (await set.runs()).find(
      ({ event, endedAt }) => event === message?.event_id && endedAt !== null,
    ),
  );
  return {
    ...seen,
    stored: Date.parse(message?.created_at ?? ''),
    accepted: run.createdAt,
    ended: run.endedAt ?? Number.NaN,
    posted: Date.parse(answer?.created_at ?? ''),
  };
}

function row(name: string, ms: number, targetMs: number, samples: number, phases: string[]): Row {
  return {
    name: `key press -> answer on the screen, ${name}`,
    ...{ measured: `${ms.toFixed(0)} ms`, target: `≤ ${targetMs} ms`, isMet: ms <= targetMs },
    ...{ ours: `${ms.toFixed(0)} ms`, baseline: '', samples, phases },
  };
}
