// The files an operator deploys with: what must not be lost by an edit.
import { existsSync, readFileSync } from 'node:fs';

import { describe, expect, test } from 'vitest';

import { variables } from '../../gateway/config-variables.ts';

function read(path: string): string {
  return readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
}

const manifest = JSON.parse(read('package.json'));
const closingSecs = 5;

describe('Dockerfile', () => {
  const dockerfile = read('Dockerfile');

  test('is built on the Node of package.json', () => {
    const major = manifest.devDependencies.node.split('.')[0];
    expect(dockerfile).toMatch(new RegExp(`^FROM node:${major}-[a-z]+-slim$`, 'm'));
  });

  test('installs what the lockfile says, with the pinned claude', () => {
    expect(dockerfile).toContain('npm ci --omit=dev');
    expect(manifest.dependencies['@anthropic-ai/claude-code']).toMatch(/^\d+\.\d+\.\d+$/);
    expect(manifest.allowScripts['@anthropic-ai/claude-code']).toBe(true);
  });

  test('runs as an ordinary user and says whether it lives', () => {
    expect(dockerfile).toMatch(/^USER 10001:10001$/m);
    expect(dockerfile).toMatch(/^HEALTHCHECK [^]*\/livez/m);
  });

  test('sees no data, secrets or history', () => {
    const [first, ...rest] = read('.dockerignore')
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'));
    expect(first).toBe('*');
    expect(rest.every((line) => line.startsWith('!'))).toBe(true);
    expect(rest.filter((line) => /data|\.env|\.git|test/.test(line))).toEqual([]);
  });
});

describe('compose.yml', () => {
  const compose = read('compose.yml');

  test.each([
    'user: "10001:10001"',
    'init: true',
    'read_only: true',
    'cap_drop: [ALL]',
    'no-new-privileges:true',
    'seccomp=deploy/seccomp.json',
    'systempaths=unconfined',
    'apparmor=unconfined',
    'ulimits: { core: 0 }',
    'SANDBOX: ${SANDBOX:-require}',
    'pids_limit: ',
    'mem_limit: ',
    '/livez',
  ])('has %s', (option) => {
    expect(compose).toContain(option);
  });

  test('publishes on one IPv4 address only', () => {
    expect(compose).toContain('ports: ["${GATEWAY_LAN_IP:-127.0.0.1}:8800:8800"]');
  });

  test('never lets the bridge in once the gateway is published on the network', () => {
    expect(compose).toContain('ALLOW_CIDRS: ${ALLOW_CIDRS:-${GATEWAY_LAN_IP:-10.214.88.1}}');
    expect(compose).toContain('gateway: 10.214.88.1');
  });

  test('waits longer for the end than the gateway does', () => {
    const waitSecs = Number(/stop_grace_period: (\d+)s/.exec(compose)?.[1]);
    expect(waitSecs).toBeGreaterThan(Number(variables.shutdownGrace.fallbackText) + closingSecs);
  });
});

describe('the seccomp profile', () => {
  const profile: {
    defaultAction: string;
    syscalls: { names: string[]; action: string; args?: unknown }[];
  } = JSON.parse(read('deploy/seccomp.json'));
  const allowed = profile.syscalls.flatMap(({ names }) => names);

  test('is an allow list that every Docker version reads', () => {
    expect(Object.keys(profile)).toEqual(['defaultAction', 'syscalls']);
    expect(profile.defaultAction).toBe('SCMP_ACT_ERRNO');
    expect(profile.syscalls.every(({ action }) => action === 'SCMP_ACT_ALLOW')).toBe(true);
  });

  test('adds only what bubblewrap cannot do without', () => {
    const namespaces = ['clone', 'clone3', 'mount', 'pivot_root', 'sethostname', 'umount2'];
    expect(profile.syscalls[0]?.names).toEqual([...namespaces, 'unshare']);
  });

  test.each([
    'bpf',
    'ptrace',
    'keyctl',
    'setns',
    'chroot',
    'io_uring_setup',
    'init_module',
    'userfaultfd',
  ])('forbids %s', (name) => expect(allowed).not.toContain(name));
});

describe('gatehouse.service', () => {
  const unit = read('deploy/gatehouse.service');
  const settings = new Map(
    unit.split('\n').flatMap((line) => {
      const [, name, value] = /^([A-Za-z]+)=(.*)$/.exec(line) ?? [];
      return name === undefined ? [] : [[name, value ?? ''] as const];
    }),
  );

  test('waits longer for the end than the gateway does, and signals the gateway alone', () => {
    const waitSecs = Number(settings.get('TimeoutStopSec'));
    expect(waitSecs).toBeGreaterThan(Number(variables.shutdownGrace.fallbackText) + closingSecs);
    expect(settings.get('KillMode')).toBe('mixed');
  });

  test.each([
    'RestrictNamespaces',
    'ProtectKernelTunables',
    'ProcSubset',
    'MemoryDenyWriteExecute',
    'SystemCallFilter',
    'ProtectHostname',
  ])('does not set %s, which would break the sandbox of the runs', (name) => {
    expect(settings.has(name)).toBe(false);
  });

  test('keeps the gateway when one run is killed for its memory', () => {
    expect(settings.get('OOMPolicy')).toBe('continue');
  });
});

test('every file that the deployment guide names is there', () => {
  const named = read('docs/deploy.md').matchAll(/\]\((?:\.\.\/)([^)#]+)\)/g);
  for (const [, path = ''] of named)
    expect(existsSync(new URL(`../../${path}`, import.meta.url))).toBe(true);
});
