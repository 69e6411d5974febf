import { describe, expect, it, test } from 'vitest';

import { judgeClaude } from '../../cli/doctor/claude-check.ts';
import { judgeEnvironmentFile } from '../../cli/doctor/configuration-check.ts';
import { judgeCredential, judgeSignIn, judgeTerms } from '../../cli/doctor/credential-check.ts';
import { judgeAuditLog, judgeDatabase } from '../../cli/doctor/database-check.ts';
import { exitCodeFor, jsonDocument, textLines } from '../../cli/doctor/doctor-report.ts';
import { judgeUser } from '../../cli/doctor/file-mode-check.ts';
import { fail, pass, warn } from '../../cli/doctor/finding.ts';
import { judgeLeftovers } from '../../cli/doctor/leftover-check.ts';
import { judgeExpiry } from '../../cli/doctor/login-check.ts';
import {
  judgeClock,
  judgeDisk,
  judgeMemory,
  judgeNode,
  runMemoryBytes,
} from '../../cli/doctor/machine-check.ts';
import { judgeRunning, writeLockHolder } from '../../cli/doctor/running-gateway.ts';
import { judgeEscapes, judgeSandbox } from '../../cli/doctor/sandbox-check.ts';
import type { ClaudeCredential } from '../../gateway/claude/claude-credential.ts';
import type { SandboxTier } from '../../gateway/sandbox/sandbox-tier.ts';

describe('the report', () => {
  it.each([
    [[pass('a', 'b')], 0],
    [[pass('a', 'b'), warn('a', 'b', 'c')], 0],
    [[warn('a', 'b', 'c'), fail('a', 'b', 'c')], 1],
  ])('of %j ends with %i', (findings, code) => {
    expect(exitCodeFor(findings)).toBe(code);
    expect(JSON.parse(jsonDocument(findings))).toMatchObject({ ok: code === 0, checks: findings });
  });

  it('keeps a finding and its mend on a line each, whatever was in them', () => {
    const lines = textLines(fail('a\nb', 'x\u001B[31m\r\ny\u009B', 'm\nn'));
    expect(lines).toMatch(/^fail {2}a b +x \[31m y\n {6}mend: m n$/);
  });
});

describe('the machine', () => {
  it.each([
    ['v24.0.0', 'pass'],
    ['v26.1.0', 'pass'],
    ['v22.9.0', 'fail'],
    ['', 'fail'],
  ])('node %s: %s', (version, status) => {
    expect(judgeNode(version)).toMatchObject({ status });
  });

  const now = Date.UTC(2026, 10, 21);
  it.each<[number, string | null, string]>([
    [now, null, 'pass'],
    [now, '2026-11-20T23:59:59.000Z', 'pass'],
    [now, '2026-11-21T00:00:30.000Z', 'pass'],
    [now, '2026-11-21T00:02:00.000Z', 'fail'],
    [0, null, 'fail'],
    [Date.UTC(2150, 0, 1), null, 'fail'],
  ])('clock %i with a last row at %s: %s', (nowMs, lastAt, status) => {
    expect(judgeClock(nowMs, lastAt)).toMatchObject({ status });
  });

  it.each([
    [10, 4, 'pass', null],
    [4, 4, 'pass', null],
    [3, 4, 'warn', 'GATEWAY_CONCURRENCY=3'],
    [0, 4, 'fail', 'memory'],
  ])('memory for %i runs with %i at once: %s', (runs, concurrency, status, mend) => {
    const finding = judgeMemory(runs * runMemoryBytes, concurrency);
    expect(finding.status).toBe(status);
    expect(finding.mend ?? '').toContain(mend ?? '');
  });

  it.each([
    [1000, 256, 'pass'],
    [500, 256, 'warn'],
    [200, 256, 'fail'],
  ])('%i bytes free where %i are kept: %s', (freeBytes, neededBytes, status) => {
    const space = { freeBytes, neededBytes, isEnough: freeBytes > neededBytes };
    expect(judgeDisk('disk', '/data', space)).toMatchObject({ status });
  });
});

test.each<[number, string[], string]>([
  [0o100600, ['ANTHROPIC_API_KEY'], 'pass'],
  [0o100640, ['ANTHROPIC_API_KEY'], 'pass'],
  [0o100644, ['ANTHROPIC_API_KEY'], 'fail'],
  [0o100644, [], 'pass'],
  [0o100666, [], 'fail'],
])('.env with mode %o and secrets %j: %s', (mode, secrets, status) => {
  expect(judgeEnvironmentFile('/p/.env', mode, secrets)).toMatchObject({ status });
});

const probed = (tier: SandboxTier, refused: SandboxTier[]) => ({
  sandbox: {
    tier,
    tools: { bwrap: null, choom: null, prlimit: null, setpriv: null },
    runUid: null,
  },
  refused: refused.map((each) => ({ tier: each, problem: 'p', mend: `mend ${each}` })),
});

test.each([
  ['nobody, not being there yet', null, 1000, []],
  ['the same user', 1000, 1000, []],
  ['another user than root', 1000, 0, ['warn']],
  ['another user', 1000, 1001, ['fail']],
])('a data directory of %s', (_whose, owner, uid, statuses) => {
  expect(judgeUser('/data', owner, uid).map(({ status }) => status)).toEqual(statuses);
});

describe('the sandbox', () => {
  it.each<['auto' | 'none', SandboxTier, SandboxTier[], string[]]>([
    ['auto', 'bwrap', [], ['pass sandbox']],
    ['auto', 'bwrap-procbind', ['bwrap'], ['pass sandbox', 'warn sandbox: not bwrap']],
    ['auto', 'none', ['bwrap'], ['fail sandbox']],
    [
      'auto',
      'none',
      ['bwrap', 'bwrap-procbind'],
      ['fail sandbox', 'warn sandbox: not bwrap-procbind'],
    ],
    ['none', 'none', [], ['warn sandbox']],
  ])('SANDBOX=%s that got %s', (mode, tier, refused, expected) => {
    const findings = judgeSandbox(mode, probed(tier, refused));
    expect(findings.map(({ status, name }) => `${status} ${name}`)).toEqual(expected);
  });

  it.each([
    [null, false, 'pass'],
    ['got out', false, 'fail'],
    ['got out', true, 'warn'],
  ])('an attempt that got %s, known: %s, is a %s', (got, isKnown, status) => {
    expect(judgeEscapes([{ name: 'x', got, isKnown }])).toMatchObject([{ status }]);
  });
});

test.each([
  ['2.1.329 (Claude Code)', null, 'pass', ''],
  ['2.1.330 (Claude Code)', null, 'warn', 'npm ci'],
  ['2.1.3290 (Claude Code)', '/x', 'warn', 'CLAUDE_BIN'],
  ['strange', null, 'warn', 'npm ci'],
])('claude %j from %s against the pin 2.1.329: %s', (version, bin, status, mend) => {
  const installation = { program: { path: '/x', isScript: false }, version };
  const finding = judgeClaude(installation, '2.1.329', bin);
  expect(finding.status).toBe(status);
  expect(finding.mend ?? '').toContain(mend);
});

const credential = (fields: Partial<ClaudeCredential>): ClaudeCredential => ({
  ...{ source: 'ANTHROPIC_API_KEY', variables: {}, configDir: null, unused: [], mend: 'sign in' },
  ...fields,
});

describe('the credential', () => {
  it('without one there is nothing to prove', () => {
    const none = credential({ source: 'none' });
    expect(judgeCredential(none, null)).toMatchObject([{ status: 'fail', mend: 'sign in' }]);
    expect(judgeSignIn(none, null, { completedAt: null, authFailedAt: null })).toEqual([]);
    expect(judgeTerms(none, 3)).toEqual([]);
  });

  it.each<[boolean | 'unknown' | null, string | null, string | null, string]>([
    [null, null, null, 'warn'],
    ['unknown', null, null, 'warn'],
    [true, null, '2', 'pass'],
    [false, '2', null, 'fail'],
    ['unknown', '2', '1', 'pass'],
    [null, '1', '2', 'fail'],
    [null, null, '1', 'fail'],
  ])('gateway says %s, completed at %s, refused at %s: %s', (said, done, refused, status) => {
    const history = { completedAt: done, authFailedAt: refused };
    expect(judgeSignIn(credential({}), said, history)).toMatchObject([{ status }]);
  });

  it.each<[ClaudeCredential['source'], number, string]>([
    ['login', 1, 'pass'],
    ['login', 2, 'warn'],
    ['CLAUDE_CODE_OAUTH_TOKEN', 2, 'warn'],
    ['ANTHROPIC_API_KEY', 9, 'pass'],
    ['ANTHROPIC_AUTH_TOKEN', 9, 'pass'],
  ])('%s for %i apps under the terms of use: %s', (source, apps, status) => {
    expect(judgeTerms(credential({ source }), apps)).toMatchObject([{ status }]);
  });

  it.each<[number | null, boolean, string]>([
    [null, false, 'pass'],
    [1001, false, 'pass'],
    [999, true, 'warn'],
    [999, false, 'fail'],
  ])('a login that ends at %s, renewable: %s, at 1000: %s', (expiresAt, canRefresh, status) => {
    expect(judgeExpiry({ expiresAt, canRefresh }, 'sign in', 1000)).toMatchObject({ status });
  });
});

describe('the database', () => {
  it.each([
    [2, 2, null, 'pass'],
    [1, 2, null, 'warn'],
    [3, 2, null, 'fail'],
    [2, 2, 'row missing', 'fail'],
  ])('schema %i of %i with damage %s: %s', (schema, newestSchema, damage, status) => {
    const inspection = { schema, newestSchema, damage };
    expect(judgeDatabase('/data/gateway.db', inspection)).toMatchObject({ status });
  });

  it('says how much of the audit log was looked at', () => {
    const whole = { ok: true, rows: 7, headSeq: 7, headHash: '' } as const;
    expect(judgeAuditLog(whole, false).seen).toBe('7 rows, whole');
    expect(judgeAuditLog(whole, true).seen).toContain('the newest 7 rows');
    const broken = { ok: false, rows: 1, brokenAtSeq: 2, reason: 'why' } as const;
    expect(judgeAuditLog(broken, false)).toMatchObject({ status: 'fail' });
  });
});

test('leftovers of a stopped gateway go at its next start, stray processes of a running one by hand', () => {
  const nothing = { isRunning: false, directories: [], pids: [], openRuns: 0 };
  expect(judgeLeftovers(nothing)).toMatchObject([{ status: 'pass' }]);
  const cutOff = { ...nothing, pids: [7], openRuns: 1, directories: ['run_x'] };
  expect(judgeLeftovers(cutOff).map(({ mend }) => mend)).toEqual(
    Array.from({ length: 3 }, () => expect.stringContaining('start the gateway')),
  );
  expect(judgeLeftovers({ ...nothing, isRunning: true, pids: [7, 8] })).toMatchObject([
    { status: 'fail', mend: 'kill -9 7 8' },
  ]);
});

describe('a gateway that runs', () => {
  const locks = [
    '1: POSIX  ADVISORY  READ  11 00:2a:100 1073741826 1073742335',
    '2: POSIX  ADVISORY  WRITE 22 00:2a:100 1073741824 1073742335',
    '3: -> POSIX  ADVISORY  WRITE 33 00:2a:100 1073741824 1073742335',
    '4: FLOCK  ADVISORY  WRITE 44 00:2a:200 0 EOF',
  ].join('\n');
  it.each([
    [100, 22],
    [200, null],
    [10, null],
  ])('the holder of inode %i is %s', (inode, pid) => {
    expect(writeLockHolder(locks, inode)).toBe(pid);
  });

  const health = { claude_present: true, authenticated: 'unknown', sandbox: 'bwrap' } as const;
  it.each([
    [null, null, 'pass'],
    [22, health, 'pass'],
    [22, null, 'warn'],
    [null, health, 'warn'],
  ])('held by %s, answering %j: %s', (holderPid, answered, status) => {
    expect(judgeRunning({ url: 'http://x', holderPid, health: answered })).toMatchObject({
      status,
    });
  });
});
