import { expect, test } from 'vitest';

import { parseClaudeLine } from '../../gateway/claude/claude-events.ts';

function parse(rate_limit_info: unknown) {
  return parseClaudeLine(JSON.stringify({ type: 'rate_limit_event', rate_limit_info }));
}

function windowsOf(info: object) {
  const event = parse(info);
  return event.type === 'limit' ? event.windows : event;
}

test('an event of the CLI tells of every window it names', () => {
  // As CLI 2.1.329 wrote it.
  const event = parse({
    ...{ status: 'rejected', resetsAt: 1795810571, rateLimitType: 'five_hour' },
    isUsingOverage: false,
    unifiedWindows: {
      five_hour: { utilization: 1, resetsAt: 1795810571, status: 'rejected' },
      seven_day: { utilization: 0.4, resetsAt: 1796210451, status: 'allowed' },
    },
  });
  expect(event).toEqual({
    ...{ type: 'limit', status: 'rejected', window: 'five_hour', isUsingOverage: false },
    resetsAt: 1795810571_000,
    windows: [
      {
        ...{ name: 'five_hour', status: 'rejected', utilization: 1 },
        resetsAt: 1795810571_000,
      },
      { name: 'seven_day', status: 'allowed', utilization: 0.4, resetsAt: 1796210451_000 },
    ],
  });
});

test('a status without windows is about the one it names, or one without a name', () => {
  expect(windowsOf({ status: 'allowed_warning', utilization: 0.9, rateLimitType: 'x' })).toEqual([
    { name: 'x', status: 'allowed_warning', utilization: 0.9, resetsAt: null },
  ]);
  expect(windowsOf({ status: 'allowed' })).toMatchObject([{ name: 'unnamed', status: 'allowed' }]);
});

test.each([
  [1_795_247_144, 1_795_247_144_000],
  [1_795_247_144.4, 1_795_247_144_400],
  [1_795_247_144_000, 1_795_247_144_000],
  [1_795_247_144_000.7, 1_795_247_144_001],
  [0, null],
  [-5, null],
  [1e300, null],
  ['tomorrow', null],
  [null, null],
  [{}, null],
])('a reset may be in seconds or milliseconds, whole or not: %j', (resetsAt, expected) => {
  const unifiedWindows = { five_hour: { resetsAt } };
  expect(parse({ status: 'rejected', resetsAt, unifiedWindows })).toMatchObject({
    resetsAt: expected,
    windows: [{ name: 'unnamed' }, { name: 'five_hour', status: null, resetsAt: expected }],
  });
});

test.each([
  { utilization: '40 %', unifiedWindows: [] },
  { utilization: -1, unifiedWindows: { five_hour: 3 } },
  { rateLimitType: 7, isUsingOverage: 'yes', unifiedWindows: null },
])('fields of another form are as good as none: %j', (odd) => {
  expect(parse({ status: 'rejected', ...odd })).toMatchObject({
    ...{ type: 'limit', status: 'rejected', window: null, isUsingOverage: false },
    windows: [{ name: 'unnamed', utilization: null }],
  });
});
