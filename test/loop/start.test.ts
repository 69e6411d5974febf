// npm start: the three services with one command, in an empty directory.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdtempDisposableSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { expect, test } from 'vitest';

import { runDoctor } from '../support/doctor-run.ts';
import { createGatewayClient } from '../support/gateway-client.ts';
import { projectDir, testAdminToken } from '../support/gateway-environment.ts';
import { letGo, untilHeld, waitForGo } from '../support/run-latch.ts';
import { setEnvironment, startedVault, startSet } from '../support/started-set.ts';

test('starts them with what they need of each other, keeps them going, and stops them', async () => {
  using directory = mkdtempDisposableSync(join(tmpdir(), 'gatehouse-start-'));
  const env = await setEnvironment();
  const vault = startedVault(env['VAULT_PORT'] ?? '');
  const say = async (content: string): Promise<void> => {
    const eventId = await vault.say(content);
    await expect.poll(() => vault.answersTo(eventId), { timeout: 30_000 }).toEqual([content]);
  };
  {
    await using all = startSet(directory.path, env);
    await all.ready();
    await vault.setUp(all.stderr());
    await say('to the one agent that is there');
    const kept = join(directory.path, 'data/watcher-credentials.json');
    expect(statSync(kept).mode & 0o777).toBe(0o600);
    const { vault_key: key, gateway_token: gatewayToken } = JSON.parse(readFileSync(kept, 'utf8'));
    const seen = all.stdout() + all.stderr();
    for (const secret of [key, gatewayToken]) expect(seen).not.toContain(secret);

    const rotate = spawn(process.execPath, [join(projectDir, 'cli/rotate.ts')], {
      ...{
        cwd: directory.path,
        env: { PATH: process.env['PATH'] ?? '', HOME: directory.path, ...env },
      },
    });
    expect((await once(rotate, 'exit'))[0]).toBe(0);
    expect(JSON.parse(readFileSync(kept, 'utf8')).vault_key).not.toBe(key);
    const watching = () => all.stdout().split('"msg":"watching"').length - 1;
    await expect.poll(watching, { timeout: 30_000 }).toBe(2);
    await say('with the new credentials');
    all.child.kill('SIGINT');
    expect(await all.exited).toBe(0);
    const stopped = [...all.stdout().matchAll(/"service":"(\w+)","msg":"stopped"/g)];
    expect(stopped.map(([, name]) => name)).toEqual(['watcher', 'watcher', 'vault', 'gateway']);
  }
  await using again = startSet(directory.path, env);
  await again.ready();
  expect(again.stderr()).not.toContain('There is no user yet');
  await say('after a restart');
});

test('says why nothing starts', async () => {
  using directory = mkdtempDisposableSync(join(tmpdir(), 'gatehouse-start-'));
  const wrong = {
    GATEWAY_PORT: '80x',
    EVENT_RETENTION_DAYS: 'abc',
    WATCHER_HEALTH_PORT: '9999999',
  };
  await using all = startSet(directory.path, wrong);
  expect(await all.exited).toBe(1);
  for (const [name, value] of Object.entries(wrong))
    expect(all.stderr()).toContain(`${name} is "${value}"`);
  expect(readdirSync(directory.path)).toEqual([]);

  const env = await setEnvironment();
  await using taken = createServer().listen(Number(env['VAULT_PORT']), '127.0.0.1');
  await once(taken, 'listening');
  await using second = startSet(directory.path, env);
  expect(await second.exited).toBe(1);
  expect(second.stderr()).toContain(
    'something else listens there already; VAULT_PORT sets another',
  );
  expect(second.stderr()).toContain('vault could not be started (exit code 1)');
  expect(second.stderr()).not.toContain('started again');
});

test('a Ctrl-C waits for what runs, as long as the gateway would, and the doctor knows where the parts are', async () => {
  using directory = mkdtempDisposableSync(join(tmpdir(), 'gatehouse-start-'));
  const env = await setEnvironment({ ADMIN_BOOTSTRAP_TOKEN: testAdminToken });
  await using all = startSet(directory.path, env);
  await all.ready();
  const dataDir = join(directory.path, 'data');
  const { about } = await runDoctor(dataDir, env);
  for (const [link, port] of [
    ['watcher to vault', env['VAULT_PORT']],
    ['watcher to gateway', env['GATEWAY_PORT']],
  ] as const) {
    const seen = expect.stringContaining(`:${port} takes`);
    expect(about(link)[0]).toMatchObject({ status: 'pass', seen });
  }

  const url = `http://127.0.0.1:${env['GATEWAY_PORT']}`;
  const { mint, run } = createGatewayClient(url, testAdminToken);
  const answer = run(await mint('app'), { prompt: `long\n${waitForGo}` });
  const runsDir = join(dataDir, 'runs');
  await untilHeld(runsDir, 1);
  all.child.kill('SIGINT');
  // Longer than programs that end their children usually wait.
  await sleep(6000);
  letGo(runsDir);
  expect(await answer).toMatchObject({ status: 200, body: { result: 'long' } });
  expect(await all.exited).toBe(0);
});

test('a Ctrl-C at any moment of the first start leaves nobody behind, and the next start is a first one', async () => {
  using directory = mkdtempDisposableSync(join(tmpdir(), 'gatehouse-start-'));
  const env = await setEnvironment();
  const data = join(directory.path, 'data');
  // While the vault is prepared, while the gateway starts, before the watcher is there.
  const moments = [
    () => existsSync(join(data, 'vault.db')),
    (said: string) => said.includes('Gatehouse gateway on'),
    (said: string) => said.includes('The vault listens on'),
  ];
  for (const hasCome of moments) {
    await using set = startSet(directory.path, env);
    await expect.poll(() => hasCome(set.stderr()), { interval: 5, timeout: 60_000 }).toBe(true);
    set.child.kill('SIGINT');
    expect(await set.exited).toBe(0);
    expect(set.stderr()).not.toContain('Ctrl-C stops everything');
    expect(processesIn(directory.path)).toEqual([]);
  }
  const vault = startedVault(env['VAULT_PORT'] ?? '');
  await using all = startSet(directory.path, env);
  await expect.poll(() => all.stderr(), { timeout: 60_000 }).toContain('/setup#cvl_');
  await vault.setUp(all.stderr());
  const eventId = await vault.say('quicker than the watcher');
  await expect
    .poll(() => vault.answersTo(eventId), { timeout: 60_000 })
    .toEqual(['quicker than the watcher']);
});

/** What works there. */
function processesIn(directory: string): string[] {
  return readdirSync('/proc').filter((name) => {
    try {
      return /^\d+$/.test(name) && readlinkSync(`/proc/${name}/cwd`).startsWith(directory);
    } catch {
      return false;
    }
  });
}
