// What a program says in its last moment is read, however late the gateway comes to it.
import { expect, test } from 'vitest';

import { systemClock } from '#shared/clock.ts';

import { runShortProgram } from '../../gateway/sandbox/short-program.ts';

const command = {
  ...{ file: '/bin/sh', args: ['-c', 'echo the last words'], cwd: '/' },
  ...{ bwrapArguments: null, generations: 0 },
};

test('the end of the output is not lost when the event loop was held up for longer than the drain', async () => {
  // To a loop that was held up, a sleep is over as soon as it begins.
  const clock = { ...systemClock, sleep: () => Promise.resolve() };
  const end = await runShortProgram(command, {}, 10_000, clock);
  expect(end).toMatchObject({ code: 0, output: 'the last words\n' });
});
