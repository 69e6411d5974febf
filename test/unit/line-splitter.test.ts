import { describe, expect, test } from 'vitest';

import { createLineSplitter, LineTooLongError } from '../../gateway/claude/line-splitter.ts';

const text = 'plain\n\u00e9\u20ac\u{1f600}\n\u2028 is no end of a line\n\r\n';
const lines = ['plain', '\u00e9\u20ac\u{1f600}', '\u2028 is no end of a line', '\r'];

describe('lines', () => {
  test.each([1, 2, 3, 5, 7, 1000])('are whole in chunks of %i bytes', (size) => {
    const splitter = createLineSplitter(1000);
    const bytes = Buffer.from(text);
    const seen: string[] = [];
    for (let at = 0; at < bytes.length; at += size) {
      seen.push(...splitter.push(bytes.subarray(at, at + size)));
    }
    expect(seen).toEqual(lines);
    expect(splitter.rest()).toBe('');
  });

  test('without a newline are what is left', () => {
    const splitter = createLineSplitter(1000);
    expect(splitter.push(Buffer.from('one\ntw'))).toEqual(['one']);
    expect(splitter.push(Buffer.from('o'))).toEqual([]);
    expect(splitter.rest()).toBe('two');
    expect(splitter.rest()).toBe('');
  });
});

describe('an unfinished line', () => {
  test('may be as long as the limit', () => {
    const splitter = createLineSplitter(10);
    expect(splitter.push(Buffer.from('x'.repeat(10)))).toEqual([]);
    expect(splitter.push(Buffer.from('\n'))).toEqual(['x'.repeat(10)]);
  });

  test('is refused beyond the limit, also when it comes byte by byte', () => {
    const splitter = createLineSplitter(10);
    expect(() => splitter.push(Buffer.from('x'.repeat(11)))).toThrow(LineTooLongError);
    const dripping = createLineSplitter(10);
    for (let count = 0; count < 10; count += 1) dripping.push(Buffer.from('x'));
    expect(() => dripping.push(Buffer.from('x'))).toThrow(LineTooLongError);
  });

  test('counts from its own beginning', () => {
    const splitter = createLineSplitter(10);
    for (let count = 0; count < 5; count += 1) {
      expect(splitter.push(Buffer.from('12345678\n'))).toEqual(['12345678']);
    }
  });
});
