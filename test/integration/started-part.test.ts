// A part of npm start that dies, cannot start, or is told to stop while it waits for its next start.
import { mkdtempDisposableSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { startPart } from '../../cli/start/part.ts';

const listens = `console.log('{"url":"http://here","msg":"listening"}');`;
const stays = `${listens} process.on('SIGTERM', () => process.exit(0)); setInterval(() => {}, 1000);`;

// Its pauses are over when the test says so.
beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
afterEach(() => void vi.useRealTimers());

function startScript(code: string, env: () => Record<string, string> = () => ({})) {
  const directory = mkdtempDisposableSync(join(tmpdir(), 'gatehouse-part-'));
  const main = join(directory.path, 'main.mjs');
  writeFileSync(main, code);
  const said: string[] = [];
  const lines: string[] = [];
  const part = startPart({
    ...{ name: 'part', main, cwd: directory.path, env },
    ...{ onLine: (line) => void lines.push(line), onSaid: () => {} },
    say: (text) => void said.push(text),
  });
  return {
    ...{ part, said, lines },
    change: (changed: string) => writeFileSync(main, changed),
    async [Symbol.asyncDispose]() {
      await part.stop();
      directory.remove();
    },
  };
}

function pauses(said: string[]): (string | undefined)[] {
  return said.map((text) => / again in (\d+) s$/.exec(text)?.[1]);
}

test('one that cannot start is given up, and not said to be started again', async () => {
  await using script = startScript('process.exit(7)');
  await expect(script.part.ready).rejects.toThrow('part could not be started (exit code 7)');
  script.change(stays);
  await vi.advanceTimersByTimeAsync(120_000);
  expect([script.said, script.lines]).toEqual([[], []]);
});

test('one that dies is started again with growing pauses, and said each time', async () => {
  await using script = startScript(`${listens} process.exit(7)`);
  const expected = ['1', '2', '4', '8', '16', '32', '60', '60'];
  for (const [index, secs] of expected.entries()) {
    await expect.poll(() => script.said.length).toBe(index + 1);
    await vi.advanceTimersByTimeAsync(Number(secs) * 1000 - 1);
    expect(script.said).toHaveLength(index + 1);
    if (index === expected.length - 1) script.change(stays);
    await vi.advanceTimersByTimeAsync(1);
  }
  await expect.poll(() => script.lines).toHaveLength(expected.length + 1);
  expect(pauses(script.said)).toEqual(expected);
});

test('one that is told to stop in a pause is not started again, and nobody waits for the pause', async () => {
  await using script = startScript(`${listens} process.exit(7)`);
  await expect.poll(() => script.said).toHaveLength(1);
  // The clock stands still: it ends without the pause.
  await script.part.stop();
  await vi.advanceTimersByTimeAsync(120_000);
  expect(script.lines).toHaveLength(1);
});

test('what it is given cannot be read: it waits until that is mended, and the others go on', async () => {
  let isDamaged = false;
  await using script = startScript(stays, () => {
    if (isDamaged) throw new Error('the file is damaged');
    return {};
  });
  await script.part.ready;
  isDamaged = true;
  script.part.restart();
  await expect
    .poll(() => script.said)
    .toEqual(['part has ended (the file is damaged); it is started again in 1 s']);
  isDamaged = false;
  await vi.advanceTimersByTimeAsync(1000);
  await expect.poll(() => script.lines).toHaveLength(2);
});

test('one that is restarted on purpose comes back at once, and nothing is said', async () => {
  await using script = startScript(stays);
  await script.part.ready;
  script.part.restart();
  await expect.poll(() => script.lines).toHaveLength(2);
  expect(script.said).toEqual([]);
});
