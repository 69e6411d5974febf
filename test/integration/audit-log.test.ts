import { mkdtempDisposableSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import type { Database } from '#shared/database.ts';

import { createAuditLog } from '../../gateway/audit/audit-log.ts';
import type { AuditEntry, AuditLog } from '../../gateway/audit/audit-log.ts';
import { openGatewayDatabase } from '../../gateway/database/gateway-database.ts';

let directory: ReturnType<typeof mkdtempDisposableSync>;
let db: Database;
let log: AuditLog;
let nowMs: number;

const hourMs = 3_600_000;
const start = Date.UTC(2026, 0, 1);
const hour = (count: number): string => new Date(start + count * hourMs).toISOString();

beforeEach(() => {
  directory = mkdtempDisposableSync(join(tmpdir(), 'gatehouse-'));
  db = openGatewayDatabase(join(directory.path, 'gateway.db'));
  nowMs = start;
  log = createAuditLog(db, { now: () => nowMs, monotonicMs: () => nowMs, sleep: async () => {} });
});

afterEach(() => {
  db.close();
  directory.remove();
});

/** One row an hour. */
function append(entry: Partial<AuditEntry> = {}): void {
  log.append({ action: 'run', app: 'a', address: '127.0.0.1', details: {}, ...entry });
  nowMs += hourMs;
}

function appendMany(count: number): void {
  for (let i = 1; i <= count; i += 1) {
    append({ runId: `run_${i}`, outcome: 'completed', prompt: `prompt ${i}`, details: { i } });
  }
}

const seqs = (page: { items: { seq: number }[] }): number[] => page.items.map(({ seq }) => seq);

const withoutTriggers = (sql: string): void => {
  db.exec('drop trigger audit_log_no_update; drop trigger audit_log_no_delete');
  db.exec(sql);
};

const headHash = (): string => {
  const verdict = log.verify();
  return verdict.ok ? verdict.headHash : '';
};

describe('listing', () => {
  test('a row says everything about itself', () => {
    append({
      outcome: 'completed',
      runId: 'run_1',
      prompt: 'hello',
      details: { cost_micro_usd: 12, nested: { list: [1, 'x', null] } },
    });
    expect(log.list({ limit: 10 })).toEqual({
      items: [
        {
          seq: 1,
          at: hour(0),
          action: 'run',
          app: 'a',
          address: '127.0.0.1',
          outcome: 'completed',
          run_id: 'run_1',
          prompt: 'hello',
          prompt_chars: 5,
          prompt_truncated: false,
          details: { cost_micro_usd: 12, nested: { list: [1, 'x', null] } },
          hash: headHash(),
        },
      ],
      next: null,
    });
  });

  test('pages go from the newest to the oldest and end', () => {
    appendMany(5);
    const first = log.list({ limit: 2 });
    expect(seqs(first)).toEqual([5, 4]);
    append();
    const second = log.list({ limit: 2, after: first.next ?? '' });
    expect(seqs(second)).toEqual([3, 2]);
    const third = log.list({ limit: 2, after: second.next ?? '' });
    expect(seqs(third)).toEqual([1]);
    expect(third.next).toBeNull();
  });

  test.each([
    [{ app: 'b' }, [4, 2]],
    [{ outcome: 'timeout_total' }, [3]],
    [{ action: 'token.created' }, [4]],
    [{ app: 'b', action: 'run' }, [2]],
    [{ since: hour(1), until: hour(3) }, [3, 2]],
    [{ app: "b' or 1=1 --" }, []],
  ])('%j finds rows %j', (filter, found) => {
    append();
    append({ app: 'b' });
    append({ outcome: 'timeout_total' });
    append({ app: 'b', action: 'token.created' });
    expect(seqs(log.list({ ...filter, limit: 10 }))).toEqual(found);
  });

  test.each(['', 'x', '-1', '1e3', '9'.repeat(30)])('the cursor "%s" is refused', (after) => {
    expect(() => log.list({ limit: 1, after })).toThrow(/after/);
  });

  test.each([
    ['a', 65_536, false],
    ['a', 65_537, true],
    ['👩', 65_536, false],
    ['👩', 65_537, true],
  ])('a prompt of %s times %d is cut: %s', (character, count, truncated) => {
    append({ prompt: character.repeat(count) });
    expect(log.list({ limit: 1 }).items[0]).toMatchObject({
      prompt: character.repeat(Math.min(count, 65_536)),
      prompt_chars: count,
      prompt_truncated: truncated,
    });
    expect(log.verify()).toMatchObject({ ok: true });
  });
});

describe('tampering', () => {
  beforeEach(() => {
    appendMany(6);
  });

  test('an untouched log verifies', () => {
    expect(log.verify()).toMatchObject({ ok: true, rows: 6, headSeq: 6 });
  });

  test.each([
    "update audit_log set outcome = 'x' where seq = 3",
    'delete from audit_log where seq = 6',
    'delete from audit_log',
    `insert or replace into audit_log select seq, at, action, 'other', address, outcome, run_id,
       prompt, details, pruned_to_seq, previous_hash, hash from audit_log where seq = 3`,
  ])('the database refuses: %s', (sql) => {
    expect(() => db.exec(sql)).toThrow(/append-only/);
    expect(log.verify()).toMatchObject({ ok: true, rows: 6 });
  });

  test.each([
    ["update audit_log set outcome = 'refused' where seq = 3", 3],
    ["update audit_log set prompt = 'nicer' where seq = 3", 3],
    ['update audit_log set prompt = null where seq = 3', 3],
    ["update audit_log set details = '{}' where seq = 3", 3],
    ["update audit_log set at = '2020-01-01T00:00:00.000Z' where seq = 3", 3],
    ['update audit_log set app = null where seq = 3', 3],
    ['delete from audit_log where seq = 3', 4],
    ['delete from audit_log where seq < 3', 3],
    [
      `update audit_log set seq = 99 where seq = 3; update audit_log set seq = 3 where seq = 4;
       update audit_log set seq = 4 where seq = 99`,
      3,
    ],
    ['delete from audit_log where seq > 4', 5],
    ['delete from audit_log', 1],
    ["update audit_log set pruned_to_seq = 3, details = 'no json' where seq = 5", 5],
    [
      `delete from audit_log where seq < 3;
       update audit_log set pruned_to_seq = 2,
         details = json_object('pruned_to_hash', (select previous_hash from audit_log where seq = 3))
       where seq = 5`,
      5,
    ],
  ])('without the triggers, "%s" is found at row %d', (sql, brokenAtSeq) => {
    withoutTriggers(sql);
    expect(log.verify()).toMatchObject({ ok: false, brokenAtSeq });
  });

  test('a tail deleted with all its traces is found when the head is known', () => {
    const head = headHash();
    append();
    expect(log.verify(head)).toMatchObject({ ok: true });
    withoutTriggers(
      "delete from audit_log where seq > 5; update sqlite_sequence set seq = 5 where name = 'audit_log'",
    );
    expect(log.verify()).toMatchObject({ ok: true, headSeq: 5 });
    expect(log.verify(head)).toMatchObject({ ok: false, brokenAtSeq: 6 });
  });

  test('a deleted tail stays found after more was written', () => {
    withoutTriggers('delete from audit_log where seq > 4');
    append();
    expect(log.verify()).toMatchObject({ ok: false, brokenAtSeq: 7 });
  });
});

describe('retention', () => {
  test('what is old goes, and the rest verifies from the anchor on', () => {
    appendMany(6);
    expect(log.prune(hour(3))).toBe(3);
    expect(seqs(log.list({ limit: 10 }))).toEqual([7, 6, 5, 4]);
    expect(log.list({ limit: 1 }).items[0]).toMatchObject({
      action: 'audit.pruned',
      details: { pruned_to_seq: 3, before: hour(3) },
    });
    expect(log.verify()).toMatchObject({ ok: true, rows: 4, headSeq: 7 });
    expect(log.prune(hour(3))).toBe(0);
    append();
    expect(log.verify()).toMatchObject({ ok: true, rows: 5 });
  });

  test('an anchor may itself become old', () => {
    appendMany(3);
    log.prune(hour(2));
    appendMany(3);
    log.prune(hour(6));
    expect(log.verify()).toMatchObject({ ok: true });
    expect(log.list({ action: 'audit.pruned', limit: 10 }).items).toHaveLength(1);
  });

  test('a row that came before, by a clock set wrong, does not open a gap', () => {
    appendMany(2);
    nowMs = start - 100 * hourMs;
    appendMany(2);
    expect(log.prune(hour(0))).toBe(0);
    expect(log.verify()).toMatchObject({ ok: true, rows: 4 });
  });

  test('rows after the anchor are still protected, and a further cut is found', () => {
    appendMany(6);
    log.prune(hour(3));
    expect(() => db.exec('delete from audit_log where seq = 4')).toThrow(/append-only/);
    withoutTriggers('delete from audit_log where seq = 4');
    expect(log.verify()).toMatchObject({ ok: false });
  });

  test('a long log goes in several steps', () => {
    db.transaction(() => {
      appendMany(1201);
    })();
    const counts = [hour(1200), hour(1200), hour(1200), hour(1200)].map((time) => log.prune(time));
    expect(counts).toEqual([500, 500, 200, 0]);
    expect(log.verify()).toMatchObject({ ok: true, rows: 4 });
  });
});
