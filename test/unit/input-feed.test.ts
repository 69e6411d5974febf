import { Writable } from 'node:stream';
import { setImmediate as settled } from 'node:timers/promises';

import { expect, test } from 'vitest';

import { feedInput } from '../../gateway/claude/input-feed.ts';

/** Takes a piece only when it is told to. */
function slowReader() {
  const pending: (() => void)[] = [];
  const stdin = new Writable({
    highWaterMark: 10,
    write: (_chunk, _encoding, done) => void pending.push(done),
  });
  stdin.on('error', () => {});
  return { stdin, read: () => pending.shift()?.() };
}

function pieces(made: string[]) {
  return (async function* () {
    for (let index = 0; index < 5; index += 1) {
      made.push(`piece ${index}`);
      yield 'x'.repeat(10);
    }
  })();
}

test('a piece is made when the one before has been read', async () => {
  const { stdin, read } = slowReader();
  const made: string[] = [];
  const fed = feedInput(stdin, pieces(made));
  await settled();
  expect(made).toHaveLength(1);
  read();
  await settled();
  expect(made).toHaveLength(2);
  for (let left = 4; left > 0; left -= 1) {
    read();
    await settled();
  }
  await fed;
  expect(made).toHaveLength(5);
});

test.each<[name: string, act: (stdin: Writable) => void]>([
  ['is destroyed', (stdin) => stdin.destroy()],
  ['fails', (stdin) => stdin.destroy(new Error('EPIPE'))],
])('feeding ends when the reader %s', async (_name, act) => {
  const { stdin } = slowReader();
  const made: string[] = [];
  const fed = feedInput(stdin, pieces(made));
  await settled();
  act(stdin);
  await fed;
  expect(made.length).toBeLessThan(3);
});

test('nothing is written after the end of the input', async () => {
  const { stdin, read } = slowReader();
  const made: string[] = [];
  const fed = feedInput(stdin, pieces(made));
  await settled();
  stdin.end();
  read();
  await fed;
  expect(made.length).toBeLessThan(3);
  expect(stdin.errored).toBeNull();
});

test('pieces that fail are told', async () => {
  const { stdin } = slowReader();
  const broken = (async function* () {
    yield 'x';
    throw new Error('unreadable');
  })();
  await expect(feedInput(stdin, broken)).rejects.toThrow('unreadable');
});
