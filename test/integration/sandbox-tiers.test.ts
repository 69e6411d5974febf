// Which sandbox is taken, what is said of it, and what a run can do where there is none.
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { startGatewayProcess } from '../support/gateway-process.ts';
import { startHostileGateway } from '../support/hostile-gateway.ts';
import { testAdminToken } from '../support/test-gateway.ts';

describe('without bubblewrap', () => {
  const PATH = '/nonexistent';

  it('SANDBOX=require refuses to start and names the mend', async () => {
    const start = startGatewayProcess({ env: { SANDBOX: 'require', PATH } });
    await expect(start).rejects.toThrow(
      /SANDBOX=require, but no sandbox works here:\s+bwrap: bubblewrap is not installed\. apt-get install bubblewrap/,
    );
  });

  it('SANDBOX=auto starts without one, and says so loudly everywhere', async () => {
    await using gateway = await startGatewayProcess({ env: { SANDBOX: 'auto', PATH } });
    expect(gateway.stderr()).toContain('sandbox      NONE: a run can do whatever the gateway can');
    expect(gateway.stderr()).toContain('not bwrap: bubblewrap is not installed');
    expect(JSON.parse(gateway.stdout().split('\n')[0] ?? '')).toMatchObject({
      ...{ msg: 'listening', sandbox: 'none', refused_tiers: [{ tier: 'bwrap' }] },
    });
    expect((await gateway.fetch('/healthz')).body).toMatchObject({ sandbox: 'none' });
    const parts = (await gateway.fetch('/readyz')).body.parts as { name: string }[];
    expect(parts).toContainEqual(expect.objectContaining({ name: 'sandbox', message: 'none' }));
  });
});

it('a bubblewrap that cannot make a sandbox is asked why', async () => {
  const bin = await mkdtemp(join(tmpdir(), 'gatehouse-bin-'));
  const words = 'bwrap: No permissions to create new namespace, likely because ...';
  await writeFile(join(bin, 'bwrap'), `#!/bin/sh\necho "${words}" >&2\nexit 1\n`, { mode: 0o755 });
  await symlink('/usr/bin/setpriv', join(bin, 'setpriv'));
  await using gateway = await startGatewayProcess({ env: { SANDBOX: 'auto', PATH: bin } });
  expect(gateway.stderr()).toContain(
    'not bwrap: this system does not let the gateway create user namespaces',
  );
  await rm(bin, { recursive: true });
});

it('SANDBOX=none is said as loudly, and stops nothing', async () => {
  await using gateway = await startHostileGateway([], { SANDBOX: 'none' });
  expect(gateway.stderr()).toMatch(/sandbox {6}NONE: .*\n {4}SANDBOX=none was set/);
  const { pid } = gateway.child;
  const [database, environment, write, debug] = await gateway.attack(
    ['read', join(gateway.dataDir, 'gateway.db')],
    ['read', `/proc/${pid}/environ`],
    ['write', join(gateway.dataDir, 'planted')],
    ['signal', String(pid), 'SIGCONT'],
  );
  expect(database?.won).toContain('SQLite format 3');
  expect(environment?.won).toContain(testAdminToken);
  expect({ write, debug }).toEqual({ write: { won: true }, debug: { won: true } });
});

it.each(['require', 'none'])(
  'with SANDBOX=%s a run is ended that fills the disk with small files',
  async (sandbox) => {
    await using gateway = await startHostileGateway([], {
      ...{ SANDBOX: sandbox, RUN_DISK_LIMIT_MB: '8' },
    });
    const prompt = JSON.stringify([['litter', '.']]);
    const answer = await gateway.run(gateway.token, { prompt });
    expect(answer).toMatchObject({ status: 507, body: { error: { code: 'disk_full' } } });
    expect((await gateway.fetch('/livez')).status).toBe(200);
  },
);

it.each(['require', 'none'])(
  'with SANDBOX=%s a run gets no descriptor that the gateway was started with',
  async (sandbox) => {
    // As a careless shell or supervisor does. Node takes care of low ones by itself.
    const launcher = ['bash', '-c', 'exec "$@" 7</etc/hostname 200</etc/hostname', 'bash'];
    await using gateway = await startHostileGateway(launcher, { SANDBOX: sandbox });
    const [{ won: descriptors } = {}] = await gateway.attack(['descriptors']);
    const targets = descriptors.map(([, target]: [number, string]) => target);
    expect(targets).not.toContain('/etc/hostname');
    expect(targets.filter((target: string) => target.startsWith(gateway.dataDir))).toEqual([]);
  },
);
