// A login of the operator, used by runs: they see one file of it, and what they refresh is not lost.
import { mkdirSync, mkdtempDisposableSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { describe, expect, test } from 'vitest';

import { readRuns, startCheckedGateway } from '../support/leak-check.ts';
import { letGo, untilHeld, waitForGo } from '../support/run-latch.ts';

const inAnHour = (): number => Date.now() + 60 * 60_000;

type Login = Disposable & {
  env: Record<string, string>;
  write: (accessToken: string, expiresAt: number) => void;
  accessToken: () => string;
};

function createLogin(): Login {
  const directory = mkdtempDisposableSync(join(tmpdir(), 'gatehouse-login-'));
  const path = join(directory.path, '.credentials.json');
  writeFileSync(join(directory.path, 'history.jsonl'), 'private');
  mkdirSync(join(directory.path, 'projects'));
  return {
    env: { CLAUDE_CONFIG_DIR: directory.path, ANTHROPIC_API_KEY: '' },
    write(accessToken, expiresAt) {
      const claudeAiOauth = { accessToken, refreshToken: 'dummy-refresh', expiresAt };
      writeFileSync(path, JSON.stringify({ claudeAiOauth }), { mode: 0o600 });
    },
    accessToken: () => JSON.parse(readFileSync(path, 'utf8')).claudeAiOauth.accessToken,
    [Symbol.dispose]: () => directory.remove(),
  };
}

/** A run that waits for its turn with the login has its turn in the queue, and no directory yet. */
function statesOf(dataDir: string): string[] {
  return readRuns(dataDir)
    .map(({ state }) => state)
    .toSorted();
}

describe.each(['none', 'require'])('with SANDBOX=%s, a run that uses a login', (SANDBOX) => {
  test('sees its credentials file, nothing else of it, and no other credential', async () => {
    using login = createLogin();
    login.write('dummy-access', inAnHour());
    await using gateway = await startCheckedGateway({ env: { ...login.env, SANDBOX } });
    const { body } = await gateway.run(await gateway.mint('app'), { prompt: '@@report' });
    expect(body.result.listings.login).toEqual(['.credentials.json']);
    const names = Object.keys(body.result.env);
    expect(names.filter((name) => /ANTHROPIC|OAUTH|CONFIG_DIR/.test(name))).toEqual([
      'CLAUDE_SECURESTORAGE_CONFIG_DIR',
    ]);
    expect(JSON.stringify(await gateway.audit())).not.toContain('dummy-');
  });

  test('may refresh it by rename: the operator and the next run have the new one', async () => {
    using login = createLogin();
    login.write('first', inAnHour());
    await using gateway = await startCheckedGateway({ env: { ...login.env, SANDBOX } });
    const token = await gateway.mint('app');
    for (const refreshed of ['second', 'third']) {
      const answer = await gateway.run(token, { prompt: `@@refresh-login ${refreshed}` });
      expect(answer.status).toBe(200);
      expect(login.accessToken()).toBe(refreshed);
    }
  });

  test('that has run out goes alone until it has refreshed it, then the others go', async () => {
    using login = createLogin();
    login.write('run out', Date.now() - 1000);
    await using gateway = await startCheckedGateway({
      env: { ...login.env, SANDBOX, GATEWAY_CONCURRENCY: '3' },
    });
    const token = await gateway.mint('app');
    const answers = ['a', 'b', 'c'].map((name) =>
      gateway.run(token, { prompt: `${waitForGo}\n@@refresh-login fresh-${name}` }),
    );
    const [first] = await untilHeld(gateway.runsDir, 1);
    await expect
      .poll(() => statesOf(gateway.dataDir), { timeout: 10_000 })
      .toEqual(['running', 'starting', 'starting']);
    expect(await untilHeld(gateway.runsDir, 1)).toEqual([first]);
    expect(login.accessToken()).toBe('run out');

    letGo(gateway.runsDir, first);
    await untilHeld(gateway.runsDir, 2);
    expect(login.accessToken()).toMatch(/^fresh-/);
    letGo(gateway.runsDir);
    for (const { status } of await Promise.all(answers)) expect(status).toBe(200);
  });
});

test('a run with a login near its expiry leaves by itself after its answer', async () => {
  using login = createLogin();
  login.write('nearly over', Date.now() + 60_000);
  await using gateway = await startCheckedGateway({ env: login.env });
  const token = await gateway.mint('app');
  await gateway.run(token, { prompt: 'nobody knows whether it refreshes the login' });
  login.write('another', inAnHour());
  await gateway.run(token, { prompt: 'hello' });
  const rows = await gateway.audit('?action=run');
  expect(rows.map(({ details }) => [details.exit_code, details.signal])).toEqual([
    [null, 'SIGKILL'],
    [0, null],
  ]);
});

test('a client that goes away while its run waits for a refresh ends that run only', async () => {
  using login = createLogin();
  login.write('run out', Date.now() - 1000);
  await using gateway = await startCheckedGateway({ env: login.env });
  const token = await gateway.mint('app');
  const first = gateway.run(token, { prompt: `${waitForGo}\n@@refresh-login fresh` });
  await untilHeld(gateway.runsDir, 1);
  const client = new AbortController();
  const second = gateway.run(token, { prompt: 'hello' }, client.signal);
  const states = () => statesOf(gateway.dataDir);
  await expect.poll(states, { timeout: 10_000 }).toEqual(['running', 'starting']);
  client.abort();
  await expect(second).rejects.toMatchObject({ name: 'AbortError' });
  await expect.poll(states, { timeout: 10_000 }).toEqual(['ended', 'running']);
  letGo(gateway.runsDir);
  expect((await first).status).toBe(200);
  const rows = await gateway.audit('?action=run');
  expect(rows.map((row) => row.outcome)).toEqual(['completed', 'client_gone']);
});

test('a login that is not accepted is mended by signing in again', async () => {
  using login = createLogin();
  login.write('first', inAnHour());
  await using gateway = await startCheckedGateway({ env: login.env });
  const token = await gateway.mint('app');
  expect((await gateway.run(token, { prompt: 'hello' })).status).toBe(200);
  const answer = await gateway.run(token, { prompt: '@@error 401' });
  expect(answer).toMatchObject({ status: 503, body: { error: { code: 'auth' } } });
  expect(answer.body.error.message).toContain('/login');
});
