import { expect, test } from 'vitest';

import { canonicalJson, chainHash, genesisHash, verifyChain } from '#shared/audit-chain.ts';
import type { ChainRow } from '#shared/audit-chain.ts';

function chainOf(length: number): ChainRow[] {
  const rows: ChainRow[] = [];
  for (let seq = 1; seq <= length; seq += 1) {
    const previousHash = rows.at(-1)?.hash ?? genesisHash;
    const record = { seq, what: `row ${seq}` };
    rows.push({ seq, previousHash, hash: chainHash(previousHash, record), record });
  }
  return rows;
}

const at = (rows: ChainRow[], index: number): ChainRow => {
  const row = rows[index];
  if (row === undefined) {
    throw new Error(`no row ${index}`);
  }
  return row;
};

test('an untouched chain verifies and tells its head', () => {
  const rows = chainOf(5);
  expect(verifyChain(rows)).toEqual({
    ok: true,
    rows: 5,
    headSeq: 5,
    headHash: at(rows, 4).hash,
  });
});

test('an empty chain verifies', () => {
  expect(verifyChain([])).toEqual({ ok: true, rows: 0, headSeq: 0, headHash: genesisHash });
});

test('a chain verifies from a known row on', () => {
  const rows = chainOf(5);
  const start = { seq: 3, hash: at(rows, 2).hash };
  expect(verifyChain(rows.slice(3), start)).toMatchObject({ ok: true, rows: 2, headSeq: 5 });
});

test.each<[string, (rows: ChainRow[]) => ChainRow[], number, RegExp]>([
  [
    'a changed record',
    (rows) => rows.with(2, { ...at(rows, 2), record: { seq: 3, what: 'else' } }),
    3,
    /content/,
  ],
  [
    'a changed record with its hash made anew',
    (rows) => {
      const record = { seq: 3, what: 'else' };
      const row = at(rows, 2);
      return rows.with(2, { ...row, record, hash: chainHash(row.previousHash, record) });
    },
    4,
    /follow/,
  ],
  ['a row deleted in the middle', (rows) => rows.toSpliced(2, 1), 4, /row 3 is missing/],
  ['a row deleted at the start', (rows) => rows.slice(1), 2, /row 1 is missing/],
  [
    'two rows swapped',
    (rows) => rows.with(1, at(rows, 2)).with(2, at(rows, 1)),
    3,
    /row 2 is missing/,
  ],
  [
    'the contents of two rows swapped',
    (rows) =>
      rows
        .with(1, { ...at(rows, 1), record: at(rows, 2).record })
        .with(2, { ...at(rows, 2), record: at(rows, 1).record }),
    2,
    /content/,
  ],
])('%s is found', (_name, tamper, brokenAtSeq, reason) => {
  const verdict = verifyChain(tamper(chainOf(5)));
  expect(verdict).toMatchObject({ ok: false, brokenAtSeq });
  expect(verdict).toHaveProperty('reason', expect.stringMatching(reason));
});

test('a deleted tail is found when the head is known, and growth is not mistaken for it', () => {
  const rows = chainOf(5);
  const head = at(rows, 4).hash;
  expect(verifyChain(rows.slice(0, 4), undefined, head)).toMatchObject({
    ok: false,
    brokenAtSeq: 5,
  });
  expect(verifyChain(rows, undefined, at(rows, 2).hash)).toMatchObject({ ok: true });
});

test('equal values have equal canonical JSON', () => {
  const value = { b: [1, { d: null, c: 'é\u2028' }], a: -0.5, '': true };
  expect(canonicalJson(value)).toBe('{"":true,"a":-0.5,"b":[1,{"c":"é\u2028","d":null}]}');
});
