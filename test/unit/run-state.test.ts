import { describe, expect, test } from 'vitest';

import { attemptsMax, fateOf, runMoves, runStates } from '../../gateway/runs/run-state.ts';

type Run = Parameters<typeof fateOf>[0];

const fate = (run: Partial<Run>) =>
  fateOf({
    ...{ state: 'queued', isDetached: true, onInterrupt: 'fail', attempt: 0 },
    ...{ isCancelAsked: false, isAppRevoked: false },
    ...run,
  });

test('every state but the last is left by a move, and every move leads to a state', () => {
  const moves = Object.values(runMoves);
  const left = new Set(moves.flatMap(({ from }): string[] => [...from]));
  expect([...left].toSorted()).toEqual(['queued', 'running', 'starting']);
  for (const { to } of moves) expect(runStates).toContain(to);
  expect(moves.filter(({ from }) => [...from].some((state: string) => state === 'ended'))).toEqual(
    [],
  );
});

describe('after the gateway stopped, however it stopped', () => {
  test.each<[name: string, run: Partial<Run>, fate: string]>([
    ['what waits and outlives its client waits again', {}, 'wait'],
    ['what waits and whose client is gone is closed', { isDetached: false }, 'interrupted'],
    ['what had its turn and was told nothing waits again', { state: 'starting' }, 'wait'],
    ['what was running is closed', { state: 'running', attempt: 1 }, 'interrupted'],
    [
      'what was running and is to be tried again waits again',
      { state: 'running', onInterrupt: 'retry', attempt: 1 },
      'wait',
    ],
    [
      'what is to be tried again waits also without its client',
      { isDetached: false, onInterrupt: 'retry' },
      'wait',
    ],
    [
      'what took the gateway down too often is closed',
      { state: 'running', onInterrupt: 'retry', attempt: attemptsMax },
      'interrupted',
    ],
    [
      'what was cancelled stays cancelled',
      { isCancelAsked: true, onInterrupt: 'retry' },
      'cancelled',
    ],
    ['what was asked by an app that is revoked is cancelled', { isAppRevoked: true }, 'cancelled'],
  ])('%s', (_name, run, expected) => {
    expect(fate(run)).toBe(expected);
  });
});
