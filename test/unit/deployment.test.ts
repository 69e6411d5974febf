// The files an operator deploys with: what must not be lost by an edit.
import { existsSync, readFileSync } from 'node:fs';

import { describe, expect, test } from 'vitest';

import { variables as gatewayVariables } from '../../gateway/config-variables.ts';
import { variables as vaultVariables } from '../../vault/config-variables.ts';
import { variables as watcherVariables } from '../../watcher/config-variables.ts';

function read(path: string): string {
  return readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
}

const manifest = JSON.parse(read('package.json'));
const closingSecs = 5;

describe('Dockerfile', () => {
  const dockerfile = read('Dockerfile');

  test('is built on the Node of package.json', () => {
    const major = manifest.devDependencies.node.split('.')[0];
    const bases = [...dockerfile.matchAll(/^FROM (\S+)/gm)].map(([, base]) => base);
    expect(bases).toHaveLength(2);
    for (const base of bases) expect(base).toMatch(new RegExp(`^node:${major}-[a-z]+-slim$`));
  });

  test('installs what the lockfile says, with the pinned claude', () => {
    expect(dockerfile).toContain('npm ci --omit=dev');
    expect(manifest.dependencies['@anthropic-ai/claude-code']).toMatch(/^\d+\.\d+\.\d+$/);
    expect(manifest.allowScripts['@anthropic-ai/claude-code']).toBe(true);
  });

  test('has the page, and nothing that only its making needs', () => {
    expect(dockerfile).toContain('COPY --from=page /app/dashboard/dist ./dashboard/dist');
    expect(dockerfile).not.toContain('COPY . ');
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

  /** What stands below one service. */
  const service = (name: string): string => {
    const [, rest = ''] = compose.split(`\n  ${name}:\n`);
    return rest.split(/\n {0,2}\S/, 1)[0] ?? '';
  };

  test('publishes on one IPv4 address only', () => {
    expect([...compose.matchAll(/ports: .*/g)].map(([line]) => line)).toEqual([
      'ports: ["${GATEWAY_LAN_IP:-127.0.0.1}:8800:8800"]',
      'ports: ["${VAULT_LAN_IP:-${GATEWAY_LAN_IP:-127.0.0.1}}:8700:8700"]',
    ]);
  });

  test('never lets the bridge in once it is published on the network', () => {
    expect(service('gateway')).toContain(
      'ALLOW_CIDRS: ${ALLOW_CIDRS:-${GATEWAY_LAN_IP:-10.214.88.1}},10.214.88.4,10.214.88.5',
    );
    expect(service('vault')).toContain(
      'ALLOW_CIDRS: ${ALLOW_CIDRS:-${VAULT_LAN_IP:-${GATEWAY_LAN_IP:-10.214.88.1}}},10.214.88.4,10.214.88.5',
    );
    expect(compose).toContain('gateway: 10.214.88.1');
    expect(service('watcher')).toContain('ipv4_address: 10.214.88.4');
    expect(service('introduce')).toContain('ipv4_address: 10.214.88.5');
  });

  test('gives no address that is let in to a container which is not one of ours', () => {
    const named = [...compose.matchAll(/ipv4_address: 10\.214\.88\.(\d+)/g)].map(
      ([, last]) => last,
    );
    expect(named).toEqual(['2', '3', '5', '4', '6']);
    expect(compose).toContain('ip_range: 10.214.88.8/29');
  });

  test('asks no registry for an image that is made here', () => {
    expect([...compose.matchAll(/image: gatehouse\n +(.*)/g)].map(([, next]) => next)).toEqual([
      'pull_policy: never',
      'pull_policy: never',
    ]);
  });

  test('does not fall back on SQLite when PostgreSQL was chosen without its password', () => {
    const chosen = '${COMPOSE_PROFILES:+?application_name=gatehouse}}';
    for (const name of ['vault', 'introduce']) {
      const url = /DATABASE_URL: (.*)/.exec(service(name))?.[1];
      expect(url?.endsWith(chosen)).toBe(true);
    }
  });

  test.each([
    ['gateway', gatewayVariables],
    ['x-confined', vaultVariables],
    ['x-confined', watcherVariables],
  ])('%s: waits longer for the end than the service does', (name, { shutdownGrace }) => {
    const place = name === 'x-confined' ? (compose.split('x-confined:')[1] ?? '') : service(name);
    const waitSecs = Number(/stop_grace_period: (\d+)s/.exec(place)?.[1]);
    expect(waitSecs).toBeGreaterThan(Number(shutdownGrace.fallbackText) + closingSecs);
  });

  test('gives the credential of claude to the gateway alone', () => {
    expect(compose.match(/env_file/g)).toHaveLength(1);
    expect(service('gateway')).toContain('env_file');
    expect(compose).not.toMatch(/ANTHROPIC|CLAUDE_CODE/);
  });

  test.each(['DATABASE_URL', 'POSTGRES_PASSWORD', 'WATCHER_VAULT_KEY', 'WATCHER_GATEWAY_TOKEN'])(
    'and %s not to the gateway',
    (name) => {
      expect(service('gateway')).toContain(`${name}: ""`);
    },
  );

  test.each(['vault', 'introduce', 'watcher'])('%s has what strangers are kept in', (name) => {
    expect(service(name)).toContain('<<: *confined');
    expect(service(name)).not.toMatch(/privileged|cap_add|security_opt|user:/);
  });

  const left = (name: string, variables: Record<string, { name: string }>) =>
    Object.values(variables)
      .map((variable) => variable.name)
      .filter((variable) => !new RegExp(`^ +${variable}: `, 'm').test(service(name)));

  test('passes on what the vault and the watcher read', () => {
    expect(left('vault', vaultVariables)).toEqual([
      'VAULT_REQUEST_TIMEOUT_SECS',
      'VAULT_SHUTDOWN_GRACE_SECS',
    ]);
    expect(left('watcher', watcherVariables)).toEqual([
      'WATCHER_HEALTH_PORT',
      'WATCHER_SHUTDOWN_GRACE_SECS',
    ]);
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
    expect(waitSecs).toBeGreaterThan(
      Number(gatewayVariables.shutdownGrace.fallbackText) + closingSecs,
    );
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
