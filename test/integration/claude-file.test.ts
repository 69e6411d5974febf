// The claude on disk may be missing, broken, replaced or removed while the gateway runs.
import { chmodSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, test } from 'vitest';

import { startCheckedGateway } from '../support/leak-check.ts';
import { letGo, untilHeld, waitForGo } from '../support/run-latch.ts';
import { createProgramDirectory } from '../support/stand-in-program.ts';

describe('a claude that', () => {
  test('is missing is an outcome of its own, told by the health as well', async () => {
    await using gateway = await startCheckedGateway({ env: { CLAUDE_BIN: '/nonexistent/claude' } });
    const answer = await gateway.run(await gateway.mint('app'), { prompt: 'hello' });
    const error = { code: 'cli_missing', retryable: false };
    expect(answer).toMatchObject({ status: 503, body: { error } });
    const health = await gateway.fetch('/healthz');
    expect(health).toMatchObject({
      status: 200,
      body: { ok: false, claude_present: false, claude_version: null },
    });
    expect((await gateway.fetch('/livez')).status).toBe(200);
    expect((await gateway.fetch('/readyz')).status).toBe(503);
  });

  test('cannot be executed, or is not a file, cannot be started', async () => {
    using programs = createProgramDirectory();
    const notExecutable = join(programs.path, 'claude');
    writeFileSync(notExecutable, 'no program');
    chmodSync(notExecutable, 0o644);
    for (const CLAUDE_BIN of [notExecutable, programs.path]) {
      await using gateway = await startCheckedGateway({ env: { CLAUDE_BIN } });
      const answer = await gateway.run(await gateway.mint('app'), { prompt: 'hello' });
      const error = { code: 'spawn_failed', retryable: true, retry_after_secs: 5 };
      expect(answer).toMatchObject({ status: 503, body: { error } });
      expect(answer.headers.get('retry-after')).toBe('5');
    }
  });

  test.each(['none', 'require'])(
    'is no program that this host can run: SANDBOX=%s',
    async (SANDBOX) => {
      using programs = createProgramDirectory();
      const CLAUDE_BIN = join(programs.path, 'claude');
      writeFileSync(CLAUDE_BIN, 'no program', { mode: 0o755 });
      await using gateway = await startCheckedGateway({ env: { SANDBOX, CLAUDE_BIN } });
      const answer = await gateway.run(await gateway.mint('app'), { prompt: 'hello' });
      expect(answer).toMatchObject({ status: 503, body: { error: { code: 'spawn_failed' } } });
    },
  );

  test('is asked for its version by another gateway at the same time is not disturbed', async () => {
    using programs = createProgramDirectory();
    const slow = programs.script('slow', 'exit 1');
    writeFileSync(slow, '#!/bin/sh\nsleep 1\necho "1.0.0 (Slow)"\n');
    await using other = await startCheckedGateway();
    await using gateway = await startCheckedGateway({ env: { CLAUDE_BIN: slow } });
    const [health] = await Promise.all([gateway.fetch('/healthz'), other.fetch('/healthz')]);
    expect(health.body).toMatchObject({ claude_present: true, claude_version: '1.0.0 (Slow)' });
  });
});

describe.each(['none', 'require'])('with SANDBOX=%s, during runs a claude may be', (SANDBOX) => {
  test('replaced and then removed: they finish, and each row has the version it ran', async () => {
    using programs = createProgramDirectory();
    const CLAUDE_BIN = programs.fakeOfVersion('claude.ts', '1.0.0');
    await using gateway = await startCheckedGateway({
      env: { SANDBOX, CLAUDE_BIN, GATEWAY_CONCURRENCY: '5' },
    });
    const token = await gateway.mint('app');
    const hold = (text: string) => gateway.run(token, { prompt: `${waitForGo}\n${text}` });
    const ones = [hold('one'), hold('one')];
    await untilHeld(gateway.runsDir, 2);

    renameSync(programs.fakeOfVersion('next.ts', '2.0.0'), CLAUDE_BIN);
    const twos = [hold('two'), hold('two')];
    await untilHeld(gateway.runsDir, 4);
    expect((await gateway.fetch('/healthz')).body.claude_version).toBe('2.0.0 (Claude Code)');

    rmSync(CLAUDE_BIN);
    const answer = await gateway.run(token, { prompt: 'three' });
    expect(answer).toMatchObject({ status: 503, body: { error: { code: 'cli_missing' } } });
    letGo(gateway.runsDir);
    const results = (await Promise.all([...ones, ...twos])).map(({ body }) => body.result);
    expect(results).toEqual(['one', 'one', 'two', 'two']);

    const rows = await gateway.audit('?action=run&outcome=completed');
    const versions = rows.map((row) => String(row.details.cli_version));
    expect(versions.toSorted((one, other) => one.localeCompare(other))).toEqual([
      ...['1.0.0 (Claude Code)', '1.0.0 (Claude Code)'],
      ...['2.0.0 (Claude Code)', '2.0.0 (Claude Code)'],
    ]);
  });
});

describe('a run directory that', () => {
  test('cannot be made ends the run, not the gateway', async () => {
    await using gateway = await startCheckedGateway();
    const token = await gateway.mint('app');
    await gateway.run(token, { prompt: 'the version is known now' });
    const aside = `${gateway.runsDir}-aside`;
    renameSync(gateway.runsDir, aside);
    writeFileSync(gateway.runsDir, 'a file in the way');
    const answer = await gateway.run(token, { prompt: 'hello' });
    rmSync(gateway.runsDir);
    renameSync(aside, gateway.runsDir);
    expect(answer).toMatchObject({ status: 503, body: { error: { code: 'spawn_failed' } } });
    expect((await gateway.run(token, { prompt: 'again' })).body.result).toBe('again');
  });

  test('has no parent any more makes it again', async () => {
    await using gateway = await startCheckedGateway();
    const token = await gateway.mint('app');
    await gateway.run(token, { prompt: 'the version is known now' });
    rmSync(gateway.runsDir, { recursive: true });
    expect((await gateway.fetch('/readyz')).status).toBe(200);
    expect((await gateway.run(token, { prompt: 'hello' })).body.result).toBe('hello');
  });
});
