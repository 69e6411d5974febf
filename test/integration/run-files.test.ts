// The files of a run while it waits, when it ends early and when they are refused: always there for it, always closed after it.
import { readdirSync, readlinkSync, rmSync, truncateSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, test } from 'vitest';

import { startCheckedGateway } from '../support/leak-check.ts';
import { letGo, untilHeld, waitForGo } from '../support/run-latch.ts';
import { createProgramDirectory } from '../support/stand-in-program.ts';
import { upload } from '../support/upload-form.ts';

/** What this process has open below the directory of files. */
function openFiles(dataDir: string): string[] {
  const links = readdirSync('/proc/self/fd').map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return '';
    }
  });
  return links.filter((link) => link.startsWith(join(dataDir, 'files')));
}

const large = Buffer.concat([Buffer.from('%PDF-1.7\n'), Buffer.alloc(8 * 2 ** 20, 0xff)]);

test('a file that is deleted while its run waits still reaches it', async () => {
  await using gateway = await startCheckedGateway({ env: { GATEWAY_CONCURRENCY: '1' } });
  const token = await gateway.mint('app');
  const { body } = await upload(gateway, token, 'hello');
  const held = gateway.run(token, { prompt: waitForGo });
  await untilHeld(gateway.runsDir, 1);
  const waiting = gateway.run(token, { prompt: 'after', files: [body.file_token] });
  await expect.poll(() => gateway.gateway.engine.queue.counts().waiting).toBe(1);
  const authorization = `Bearer ${token}`;
  const path = `/files/${body.file_token}`;
  await gateway.fetch(path, { method: 'DELETE', headers: { authorization } });
  expect(openFiles(gateway.dataDir)).toHaveLength(1);
  letGo(gateway.runsDir);
  expect((await held).status).toBe(200);
  expect(await waiting).toMatchObject({ status: 200, body: { result: 'after' } });
  await expect.poll(() => openFiles(gateway.dataDir)).toEqual([]);
});

describe('a request is refused', () => {
  test.each<[name: string, files: (token: string) => unknown, status: number]>([
    ['for an unknown file beside a known one', (file) => [file, 'ff_unknown'], 404],
    ['for files that are too much together', (file) => [file, file], 413],
    ['for 21 files', (file) => Array.from({ length: 21 }, () => file), 400],
    ['for a file that is no text', (file) => [file, 1], 400],
    ['for files that are no list', (file) => file, 400],
  ])('%s, and nothing stays open', async (_name, files, status) => {
    await using gateway = await startCheckedGateway({ env: { UPLOAD_LIMIT_MB: '12' } });
    const token = await gateway.mint('app');
    const { body } = await upload(gateway, token, large);
    const refused = await gateway.run(token, { prompt: 'hi', files: files(body.file_token) });
    expect(refused.status).toBe(status);
    expect(openFiles(gateway.dataDir)).toEqual([]);
    expect(await gateway.audit('?action=run')).toEqual([]);
  });

  test.each<[name: string, act: (path: string) => void]>([
    ['gone from the disk', (path) => rmSync(path)],
    ['cut short on the disk', (path) => truncateSync(path, 1000)],
  ])('for a file that is %s, and the operator is told', async (_name, act) => {
    await using gateway = await startCheckedGateway();
    const token = await gateway.mint('app');
    const { body } = await upload(gateway, token, large);
    act(join(gateway.dataDir, 'files', body.file_token));
    const refused = await gateway.run(token, { prompt: 'hi', files: [body.file_token] });
    expect(refused).toMatchObject({ status: 404, body: { error: { code: 'not_found' } } });
    expect(gateway.logged()).toContainEqual(
      expect.objectContaining({ level: 'error', msg: 'the bytes of a file are gone' }),
    );
    expect(openFiles(gateway.dataDir)).toEqual([]);
  });

  test('for a full queue, and nothing stays open', async () => {
    const env = { GATEWAY_CONCURRENCY: '1', RUN_QUEUE_LIMIT: '0' };
    await using gateway = await startCheckedGateway({ env });
    const token = await gateway.mint('app');
    const { body } = await upload(gateway, token, large);
    const held = gateway.run(token, { prompt: waitForGo });
    await untilHeld(gateway.runsDir, 1);
    const refused = await gateway.run(token, { prompt: 'hi', files: [body.file_token] });
    expect(refused.status).toBe(429);
    expect(openFiles(gateway.dataDir)).toEqual([]);
    letGo(gateway.runsDir);
    await held;
  });
});

describe('a claude that does not read what it is sent', () => {
  test('because it ends early is a failed run, not a failed gateway', async () => {
    using programs = createProgramDirectory();
    const CLAUDE_BIN = programs.copyOfFake('early-exit.ts');
    await using gateway = await startCheckedGateway({ env: { CLAUDE_BIN } });
    const token = await gateway.mint('app');
    const { body } = await upload(gateway, token, large);
    const answer = await gateway.run(token, { prompt: 'hi', files: [body.file_token] });
    expect(answer).toMatchObject({ status: 502, body: { error: { code: 'crashed' } } });
    expect(openFiles(gateway.dataDir)).toEqual([]);
    expect((await gateway.fetch('/livez')).status).toBe(200);
  });

  test.each<[name: string, request: object, abortMs: number | null, outcome: string]>([
    ['is ended when its time is over', { timeout_secs: 1 }, null, 'timeout_total'],
    ['is ended when its client is gone', {}, 300, 'client_gone'],
  ])('because it sleeps %s', async (_name, request, abortMs, outcome) => {
    using programs = createProgramDirectory();
    const CLAUDE_BIN = programs.script('asleep.sh', 'exec sleep 300');
    await using gateway = await startCheckedGateway({ env: { CLAUDE_BIN } });
    const token = await gateway.mint('app');
    const { body } = await upload(gateway, token, large);
    const signal = abortMs === null ? undefined : AbortSignal.timeout(abortMs);
    const run = { prompt: 'hi', files: [body.file_token], ...request };
    await gateway.run(token, run, signal).catch(() => null);
    await expect
      .poll(async () => (await gateway.audit('?action=run'))[0]?.outcome, { timeout: 10_000 })
      .toBe(outcome);
    await expect.poll(() => openFiles(gateway.dataDir)).toEqual([]);
  });
});
