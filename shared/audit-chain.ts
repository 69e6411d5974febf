// Each row's hash covers the row and the hash before it, so that a change anywhere shows.
import { createHash } from 'node:crypto';

import type { JsonValue } from './json-value.ts';

export type ChainRecord = { readonly [key: string]: JsonValue };

export type ChainRow = {
  seq: number;
  previousHash: string;
  hash: string;
  record: ChainRecord;
};

/** What came before the first row that is still there. */
export type ChainStart = { seq: number; hash: string };

export type ChainVerdict =
  | { ok: true; rows: number; headSeq: number; headHash: string }
  | { ok: false; rows: number; brokenAtSeq: number; reason: string };

export const genesisHash = sha256('gatehouse audit chain 1');

export const chainGenesis: ChainStart = { seq: 0, hash: genesisHash };

export function chainHash(previousHash: string, record: ChainRecord): string {
  return sha256(`${previousHash}\n${canonicalJson(record)}`);
}

/** JSON with the keys of every object in code unit order: equal values give equal text. */
export function canonicalJson(value: JsonValue): string {
  if (isList(value)) {
    return `[${value.map((item) => canonicalJson(item)).join(',')}]`;
  }
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`);
    return `{${members.join(',')}}`;
  }
  return JSON.stringify(value);
}

/**
 * Walks the rows in order. With `expectedHash`, a hash somebody wrote down earlier, it also
 * notices that the end of the log was cut off.
 */
export function verifyChain(
  rows: Iterable<ChainRow>,
  start: ChainStart = chainGenesis,
  expectedHash?: string,
): ChainVerdict {
  let { seq, hash } = start;
  let count = 0;
  let expectedSeen = expectedHash === undefined || expectedHash === hash;
  for (const row of rows) {
    const reason = breakOf(row, seq, hash);
    if (reason !== null) {
      return { ok: false, rows: count, brokenAtSeq: row.seq, reason };
    }
    seq = row.seq;
    hash = row.hash;
    count += 1;
    expectedSeen ||= hash === expectedHash;
  }
  if (!expectedSeen) {
    const reason = 'no row has the expected hash: the end of the log is missing';
    return { ok: false, rows: count, brokenAtSeq: seq + 1, reason };
  }
  return { ok: true, rows: count, headSeq: seq, headHash: hash };
}

function breakOf(row: ChainRow, seqBefore: number, hashBefore: string): string | null {
  if (row.seq !== seqBefore + 1) {
    return `row ${seqBefore + 1} is missing`;
  }
  if (row.previousHash !== hashBefore) {
    return 'it does not follow the row before it';
  }
  if (row.hash !== chainHash(hashBefore, row.record)) {
    return 'its content does not match its hash';
  }
  return null;
}

function isList(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
