import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
// What a CLI that was turned against its host can do, tier by tier: the table of attacks, tried in earnest.
import { createServer } from 'node:net';
import type { Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import {
  asNobody,
  nobodyCanRun,
  startHostileGateway,
  statusField,
  withMaskedProc,
} from '../support/hostile-gateway.ts';
import type { AttackOutcome, HostileGateway } from '../support/hostile-gateway.ts';
import { testAdminToken } from '../support/test-gateway.ts';

type Ground = [name: string, tier: string, launcher: string[]];

describe.each<Ground>([
  ['bwrap', 'bwrap', []],
  ['bwrap-procbind, as in a container with a masked /proc', 'bwrap-procbind', withMaskedProc],
])('%s', (_name, tier, launcher) => {
  tryAttacks(tier, launcher);
});

// A root gateway's runs get another uid than its own, an ordinary user's do not: both have to hold.
// Skipped where nobody can be made such a user, or where that one cannot read the project.
describe.skipIf(!nobodyCanRun).each<Ground>([
  ['bwrap under an ordinary user', 'bwrap', asNobody],
  ['bwrap-procbind under an ordinary user', 'bwrap-procbind', [...withMaskedProc, ...asNobody]],
])('%s', (_name, tier, launcher) => {
  tryAttacks(tier, launcher);
});

function tryAttacks(tier: string, launcher: string[]): void {
  let gateway: HostileGateway;
  let outside: string;
  const canary = 'canary-of-the-host';
  beforeAll(async () => {
    outside = await mkdtemp(join(tmpdir(), 'gatehouse-outside-'));
    await writeFile(join(outside, 'canary'), canary);
    await chmod(outside, 0o777);
    gateway = await startHostileGateway(launcher);
  });
  afterAll(async () => {
    await gateway?.[Symbol.asyncDispose]();
    await rm(outside, { recursive: true });
  });

  async function expectAllLost(attacks: string[][]): Promise<AttackOutcome[]> {
    const outcomes = await gateway.attack(...attacks);
    const won = attacks.filter((_attack, index) => outcomes[index]?.lost === undefined);
    expect(won).toEqual([]);
    return outcomes;
  }

  it('is the tier that was found here', async () => {
    const { body } = await gateway.fetch('/healthz');
    expect(body).toMatchObject({ sandbox: tier });
    expect(gateway.stderr()).toContain(`sandbox      ${tier}`);
  });

  it('files of the host, of the gateway and of its database are not there', async () => {
    const paths = ['gateway.db', 'gateway.db-wal', 'gateway.lock', 'runs', 'reserve', ''];
    const outcomes = await expectAllLost([
      ...paths.flatMap((name) => ['read', 'list'].map((how) => [how, join(gateway.dataDir, name)])),
      ['read', join(outside, 'canary')],
      ...[
        '/etc/shadow',
        '/root',
        '/home/run/../../root',
        '/var',
        '/sys',
        '/proc/1/root/etc/shadow',
      ].flatMap((path) => [
        ['read', path],
        ['list', path],
      ]),
    ]);
    expect(outcomes.map(({ lost }) => lost)).toContain('ENOENT');
  });

  it('nothing can be written but what is its own', async () => {
    const own = ['/work/x', '/home/run/x', '/tmp/x', '/dev/shm/x'];
    const outcomes = await gateway.attack(...own.map((path) => ['write', path]));
    expect(outcomes).toEqual(own.map(() => ({ won: true })));
    await expectAllLost(
      [
        ...[
          '/x',
          '/usr/x',
          '/usr/local/bin/x',
          '/etc/x',
          '/dev/x',
          '/opt/cc/x',
          '/run/x',
          '/home/x',
        ],
        ...[
          '/etc/passwd',
          '/opt/cc/hostile-claude.ts',
          '/opt/cc/node',
          '/proc/sys/kernel/hostname',
        ],
        ...[join(outside, 'x'), join(gateway.dataDir, 'x')],
      ].map((path) => ['write', path]),
    );
    expect(await readdir(outside)).toEqual(['canary']);
    expect(await gateway.attack(['list', '/tmp'], ['list', '/work'])).toEqual([
      { won: [] },
      { won: [] },
    ]);
  });

  it('the gateway can be neither read, debugged nor signalled', async () => {
    const { pid } = gateway.child;
    await expectAllLost([
      ['read', `/proc/${pid}/environ`],
      ['read', `/proc/${pid}/maps`],
      ['list', `/proc/${pid}/fd`],
      ['list', `/proc/${pid}/root`],
      ['debug', String(pid)],
      ...['SIGTERM', 'SIGKILL', 'SIGSTOP'].map((name) => ['signal', String(pid), name]),
    ]);
    // "Everybody I may signal": its own namespace only.
    await gateway.run(gateway.token, { prompt: JSON.stringify([['signal', '-1', 'SIGKILL']]) });
    expect((await gateway.fetch('/livez')).status).toBe(200);
  });

  it('a run that is under way at the same time cannot be reached', async () => {
    const leave = new AbortController();
    const prompt = JSON.stringify([['write', '/work/secret'], ['stay']]);
    const victim = gateway.run(gateway.token, { prompt }, leave.signal).catch(() => null);
    const runs = join(gateway.dataDir, 'runs');
    const names = async (): Promise<string[]> =>
      (await readdir(runs)).filter((name) => name.startsWith('run_'));
    const secretOf = (name: string): string => join(runs, name, 'work/secret');
    await expect
      .poll(async () => readFile(secretOf((await names())[0] ?? '-'), 'utf8').catch(() => ''))
      .not.toBe('');
    const [name = ''] = await names();
    await expectAllLost([
      ['read', secretOf(name)],
      ['list', runs],
      ['read', '/work/secret'],
    ]);

    const [{ won: pids } = {}] = await gateway.attack(['processes']);
    const others: string[] = pids.filter((pid: string) => Number(pid) > 4);
    // In the procbind tier the processes of the host show, but not what is theirs.
    expect(others.length > 0).toBe(tier === 'bwrap-procbind');
    const outcomes = await gateway.attack(
      ...others.flatMap((pid) =>
        ['environ', 'root/work/secret'].map((part) => ['read', `/proc/${pid}/${part}`]),
      ),
    );
    const seen = outcomes.map(({ won }) => String(won ?? '')).join('\n');
    expect(seen).not.toContain(testAdminToken);
    expect(seen).not.toContain('written by a run');
    expect(seen).not.toContain(name);
    leave.abort();
    await victim;
  });

  it('no privilege is left, and none to be had', async () => {
    const [{ won: self } = {}] = await gateway.attack(['self']);
    expect(self.uid).not.toBe(0);
    expect(self.gid).not.toBe(0);
    expect(self.groups).toEqual([self.gid]);
    expect(self.hostname).toBe('run');
    for (const name of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb']) {
      expect(statusField(self.status, name)).toBe('0000000000000000');
    }
    expect(statusField(self.status, 'NoNewPrivs')).toBe('1');
    expect(Object.values(self.env)).not.toContain(testAdminToken);
    await expectAllLost([
      ['command', 'mount', '-t', 'tmpfs', 'none', '/tmp'],
      ['command', 'setpriv', '--reuid', '0', 'true'],
      ['command', 'unshare', '--mount', 'true'],
      ['command', 'choom', '-n', '-1000', '--', 'true'],
    ]);
  });

  it('a nested user namespace is refused exactly where the tier can', async () => {
    const [outcome] = await gateway.attack(['command', 'unshare', '--user', 'true']);
    // Known and told: without a /proc of its own bwrap cannot switch them off.
    expect(outcome?.lost === undefined).toBe(tier === 'bwrap-procbind');
  });

  it('memory file systems and the number of processes have an end', async () => {
    const [tmp, shm, forks] = await gateway.attack(
      ...[
        ['fill', '/tmp/x', '400'],
        ['fill', '/dev/shm/x', '400'],
        ['forks', '700'],
      ],
    );
    expect({ tmp, shm }).toEqual({ tmp: { won: 256 }, shm: { won: 64 } });
    expect(forks?.won).toBeLessThan(512);
    expect((await gateway.attack(['forks', '3']))[0]).toEqual({ won: 3 });
  });

  it('what it leaves behind ends with it, however stubborn, and does not hold the answer', async () => {
    const answer = await gateway.run(gateway.token, { prompt: JSON.stringify([['leave-behind']]) });
    expect(answer).toMatchObject({ status: 200, body: { result: [{ won: true }] } });
    expect((await gateway.audit('?limit=1'))[0]).toMatchObject({ details: { survivors: 0 } });
    expect(await marked(answer.body.run_id)).toEqual([]);
  });

  it('links and locked directories it plants are removed, and nothing outside with them', async () => {
    await gateway.attack(
      ['symlink', outside, '/work/link'],
      ['symlink', join(outside, 'canary'), '/home/run/.claude.json'],
      ['symlink', '/', '/home/run/root'],
      ['lock-up', '/work/locked'],
    );
    expect(await readFile(join(outside, 'canary'), 'utf8')).toBe(canary);
    const left = await readdir(join(gateway.dataDir, 'runs'));
    expect(left.filter((name) => name.startsWith('run_'))).toEqual([]);
  });

  it('the network of the host is there: loopback and abstract sockets, but no socket file', async () => {
    const abstract = `gatehouse-test-${process.pid}-${tier}`;
    await using sockets = new AsyncDisposableStack();
    sockets.use(await listening(`\0${abstract}`));
    sockets.use(await listening(join(outside, 'socket')));
    await chmod(join(outside, 'socket'), 0o666);
    const outcomes = await gateway.attack(
      ['connect', new URL(gateway.url).port],
      ['connect', `@${abstract}`],
      ['connect', join(outside, 'socket')],
    );
    // Known and told: hence nothing on loopback may go without a token.
    expect(outcomes).toEqual([{ won: true }, { won: true }, { lost: 'ENOENT' }]);
    expect((await gateway.fetch('/admin/tokens')).status).toBe(401);
  });
}

/** Processes of the host that carry the marker of this run. */
async function marked(runId: string): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const environments = await Promise.all(
    pids.map((pid) => readFile(`/proc/${pid}/environ`, 'latin1').catch(() => '')),
  );
  return pids.filter((_pid, index) => environments[index]?.includes(`GATEHOUSE_RUN=${runId}`));
}

async function listening(path: string): Promise<AsyncDisposable> {
  const server: Server = createServer((socket) => void socket.end());
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return { [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(() => resolve())) };
}
