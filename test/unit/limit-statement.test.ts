import { describe, expect, test } from 'vitest';

import { readLimitStatement } from '../../gateway/limits/limit-statement.ts';
import { parseResetTime } from '../../gateway/limits/reset-time.ts';

const at = (iso: string): number => Date.parse(iso);
const iso = (instant: number | null): string | null =>
  instant === null ? null : new Date(instant).toISOString();

describe('the time of a reset', () => {
  test.each<[text: string, now: string, expected: string]>([
    ['1pm (Europe/Lisbon)', '2026-07-01T10:00:00Z', '2026-07-01T12:00:00Z'],
    ['1pm (Europe/Lisbon)', '2026-12-01T10:00:00Z', '2026-12-01T13:00:00Z'],
    ['6:30am (UTC)', '2026-11-27T20:00:00Z', '2026-11-28T06:30:00Z'],
    ['2:10pm (Europe/Moscow)', '2026-11-27T10:00:00Z', '2026-11-27T11:10:00Z'],
    ['12am (UTC)', '2026-11-27T20:00:00Z', '2026-11-28T00:00:00Z'],
    ['12:05 PM (UTC)', '2026-11-27T10:00:00Z', '2026-11-27T12:05:00Z'],
    ['23:15 (Asia/Kolkata)', '2026-11-27T10:00:00Z', '2026-11-27T17:45:00Z'],
    ['7 p.m. (UTC)', '2026-11-27T10:00:00Z', '2026-11-27T19:00:00Z'],
    ['Apr 23 at 4pm (America/Recife)', '2026-04-20T10:00:00Z', '2026-04-23T19:00:00Z'],
    ['Nov 30, 4am (UTC)', '2026-11-27T10:00:00Z', '2026-11-30T04:00:00Z'],
    ['Jan 2, 2027 at 4am (UTC)', '2026-12-30T10:00:00Z', '2027-01-02T04:00:00Z'],
    ['Jan 2, 4am (UTC)', '2026-12-30T10:00:00Z', '2027-01-02T04:00:00Z'],
    ['1am (Pacific/Kiritimati)', '2026-12-31T08:00:00Z', '2026-12-31T11:00:00Z'],
  ])('%s, said at %s, is %s', (text, now, expected) => {
    expect(iso(parseResetTime(text, at(now)))).toBe(iso(at(expected)));
  });

  test('that has just passed is in the past, not tomorrow', () => {
    const now = at('2026-11-27T13:00:20Z');
    expect(iso(parseResetTime('1pm (UTC)', now))).toBe('2026-11-27T13:00:00.000Z');
    expect(iso(parseResetTime('12:50pm (UTC)', now))).toBe('2026-11-28T12:50:00.000Z');
  });

  test.each<[night: string, text: string, now: string, expected: string]>([
    // The clocks go from 2:00 to 3:00.
    ['a time that is jumped over', '2:30am', '2026-03-29T00:00:00Z', '2026-03-29T01:30:00Z'],
    ['the hour before the jump', '1:30am', '2026-03-28T23:00:00Z', '2026-03-29T00:30:00Z'],
    ['the hour after the jump', '3:30am', '2026-03-28T23:00:00Z', '2026-03-29T01:30:00Z'],
    // The clocks go from 3:00 back to 2:00.
    ['the first of two', '2:30am', '2026-10-24T23:00:00Z', '2026-10-25T00:30:00Z'],
    ['the second of two', '2:30am', '2026-10-25T00:45:00Z', '2026-10-25T01:30:00Z'],
    ['the morning after', '6am', '2026-10-24T20:00:00Z', '2026-10-25T05:00:00Z'],
  ])('in the night of the time change: %s', (_night, text, now, expected) => {
    expect(iso(parseResetTime(`${text} (Europe/Berlin)`, at(now)))).toBe(iso(at(expected)));
  });

  test.each([
    '7pm',
    '1pm (Europe/Nowhere)',
    '25:00 (UTC)',
    '13pm (UTC)',
    '0am (UTC)',
    '7:75pm (UTC)',
    'Foo 3 at 1pm (UTC)',
    'Apr 40 at 1pm (UTC)',
    'soon',
    'in 3 hours (UTC)',
    '19 Uhr (Europe/Berlin)',
    '',
    '(UTC)',
  ])('%j names no instant', (text) => {
    expect(parseResetTime(text, at('2026-11-27T10:00:00Z'))).toBeNull();
  });
});

describe('what the CLI says of a limit', () => {
  const now = at('2026-11-27T10:00:00Z');
  const read = (text: string, apiError: string | null = null) =>
    readLimitStatement(text, apiError, now);

  test.each<[text: string, resetsAt: string | null]>([
    ["You've hit your limit · resets 6:30am (UTC)", '2026-11-28T06:30:00.000Z'],
    ["You've hit your 5-hour limit · resets 8:16pm (UTC)", '2026-11-27T20:16:00.000Z'],
    ['You’ve hit your limit · resets 1pm (Europe/Lisbon)', '2026-11-27T13:00:00.000Z'],
    [
      "You've hit your weekly limit · resets Nov 30 at 4pm (America/Recife) · progress saved",
      '2026-11-30T19:00:00.000Z',
    ],
    ["You've hit your 5-hour limit", null],
    ["You've hit your limit · resets 7pm", null],
    ["You've hit your limit · resets soon", null],
    ['Claude AI usage limit reached|1795810571', '2026-11-27T20:16:11.000Z'],
  ])('%j', (text, resetsAt) => {
    const statement = read(text);
    expect(statement).not.toBeNull();
    expect(iso(statement?.resetsAt ?? null)).toBe(resetsAt);
    expect(statement?.isOfOneModel).toBe(false);
  });

  test.each(["You've hit your Opus limit", "You've hit your Sonnet limit · resets 1pm (UTC)"])(
    '%j is about one model only',
    (text) => expect(read(text)?.isOfOneModel).toBe(true),
  );

  test('its name of the error is enough', () => {
    expect(read('Limite atteinte', 'usage_limit_reached')).toEqual({
      ...{ resetsAt: null, isOfOneModel: false },
    });
  });

  test.each([
    'API Error: Request rejected (429) · slow down',
    "The message said: You've hit your limit",
    'Name three uses of a gatehouse.',
    '',
  ])('%j is no limit', (text) => expect(read(text)).toBeNull());
});
