import { readFileSync } from 'node:fs';

import { describe, expect, test } from 'vitest';

import { ConfigError } from '#shared/config/config-error.ts';

import { composeVariableNames, variableNames, variables } from '../../gateway/config-variables.ts';
import { readConfig } from '../../gateway/config.ts';
import { variables as vaultVariables } from '../../vault/config-variables.ts';
import { variables as watcherVariables } from '../../watcher/config-variables.ts';

function read(env: Record<string, string> = {}) {
  return readConfig(env, '/srv/gatehouse', 4);
}

function problemsOf(env: Record<string, string>): readonly string[] {
  try {
    read(env);
  } catch (err) {
    if (err instanceof ConfigError) return err.problems;
    throw err;
  }
  return [];
}

function sortedByName<T extends { name: string }>(items: readonly T[]): T[] {
  return items.toSorted((a, b) => a.name.localeCompare(b.name));
}

test('workspaces want a sandbox', () => {
  expect(read({ WORKSPACES: 'workspaces.json' }).config.workspacesFile).toBe(
    '/srv/gatehouse/workspaces.json',
  );
  expect(() => read({ WORKSPACES: 'w.json', SANDBOX: 'none' })).toThrow(
    'WORKSPACES is set and SANDBOX is "none"',
  );
});

test('nothing set gives the defaults', () => {
  expect(read()).toEqual({
    config: {
      listen: { host: '127.0.0.1', port: 8800 },
      dataDir: '/srv/gatehouse/data',
      runsDir: '/srv/gatehouse/data/runs',
      door: {
        ...{ allowCidrs: [], allowedHosts: [], trustedProxies: [], metricsCidrs: [] },
        allowWildcardBind: false,
      },
      claude: { bin: null, baseUrl: null, configDir: null, homeDir: null },
      models: { default: 'sonnet', allowed: ['sonnet', 'opus', 'haiku', 'claude-*'] },
      prepared: { size: null, idleMs: 240_000 },
      runs: {
        concurrency: 4,
        queueLimit: 1000,
        appQueueLimit: null,
        startMs: 30_000,
        idleMs: 120_000,
        timeoutMs: 300_000,
        timeoutMaxMs: 3_600_000,
        authRetryMs: 60_000,
        shutdownGraceMs: 30_000,
      },
      limits: {
        promptBytes: 10 * 2 ** 20,
        systemBytes: 2 ** 20,
        outputBytes: 64 * 2 ** 20,
        runDiskBytes: 512 * 2 ** 20,
        runMemoryBytes: 200 * 2 ** 20,
        diskReserveBytes: 256 * 2 ** 20,
        uploadBytes: 32 * 2 ** 20,
        filesQuotaBytes: 256 * 2 ** 20,
        requestTimeoutMs: 60_000,
      },
      sessions: {
        sessionIdleMs: 7 * 86_400_000,
        sessionLiveMs: 300_000,
        sessionsLiveMax: 4,
        sessionDiskBytes: 100 * 2 ** 20,
        sessionsPerApp: 1000,
      },
      sandbox: 'auto',
      workspacesFile: null,
      audit: { prompts: 'full', retentionMs: 365 * 86_400_000 },
      logLevel: 'info',
    },
    secrets: {
      adminBootstrapToken: null,
      anthropicApiKey: null,
      anthropicAuthToken: null,
      claudeCodeOauthToken: null,
    },
    warnings: [],
  });
});

test('empty means unset', () => {
  const empty = Object.values(variables).map(({ name }) => [name, '']);
  expect(readConfig({ ...Object.fromEntries(empty), HOME: '' }, '/srv/gatehouse', 4)).toEqual(
    read(),
  );
});

test('values are taken', () => {
  const { config, secrets } = read({
    GATEWAY_HOST: '::ffff:192.168.0.5',
    GATEWAY_PORT: '0',
    GATEWAY_DATA_DIR: '/var/lib/gatehouse',
    RUNS_DIR: 'runs-here',
    ALLOW_CIDRS: '192.168.0.0/24, fd00::/8,10.0.0.1',
    ALLOWED_HOSTS: 'Claude.LAN',
    TRUSTED_PROXIES: '10.0.0.2',
    ADMIN_BOOTSTRAP_TOKEN: '12345678',
    GATEWAY_CONCURRENCY: '2',
    RUN_IDLE_SECS: '0.25',
    RUN_DISK_LIMIT_MB: '0.5',
    AUDIT_RETENTION_DAYS: '0',
    CLAUDE_CONFIG_DIR: 'login',
    ANTHROPIC_BASE_URL: 'http://127.0.0.1:9',
    HOME: '/home/operator',
  });
  expect(config.listen).toEqual({ host: '192.168.0.5', port: 0 });
  expect(config.dataDir).toBe('/var/lib/gatehouse');
  expect(config.runsDir).toBe('/srv/gatehouse/runs-here');
  expect(config.door.allowCidrs).toEqual(['192.168.0.0/24', 'fd00::/8', '10.0.0.1']);
  expect(config.door.allowedHosts).toEqual(['claude.lan']);
  expect(config.door.trustedProxies).toEqual(['10.0.0.2']);
  expect(config.runs.concurrency).toBe(2);
  expect(config.runs.idleMs).toBe(250);
  expect(config.limits.runDiskBytes).toBe(2 ** 19);
  expect(config.audit.retentionMs).toBeNull();
  expect(config.claude).toEqual({
    bin: null,
    baseUrl: 'http://127.0.0.1:9',
    configDir: '/srv/gatehouse/login',
    homeDir: '/home/operator',
  });
  expect(secrets.adminBootstrapToken).toBe('12345678');
});

test('all wrong values are named in one message', () => {
  const problems = problemsOf({
    GATEWAY_PORT: '65536',
    ALLOW_CIDRS: '192.168.1.0/0x18',
    RUN_IDLE_SECS: 'soon',
    SANDBOX: 'maybe',
  });
  expect(problems).toEqual([
    'GATEWAY_PORT is "65536": it must be a whole number from 0 to 65535',
    'ALLOW_CIDRS is "192.168.1.0/0x18": it must be addresses or CIDRs such as 192.168.0.0/24, separated by commas',
    'RUN_IDLE_SECS is "soon": it must be a number of seconds from 0.001 to 86400',
    'SANDBOX is "maybe": it must be one of auto, require, none',
  ]);
  expect(new ConfigError(problems).message.split('\n')).toHaveLength(5);
});

test.each([
  ['GATEWAY_PORT', '0x50'],
  ['GATEWAY_PORT', '-1'],
  ['GATEWAY_PORT', '80.5'],
  ['GATEWAY_PORT', ' 80'],
  ['GATEWAY_HOST', 'example.org'],
  ['GATEWAY_HOST', '192.168.1'],
  ['ALLOW_CIDRS', '10.0.0.0/ 24'],
  ['ALLOW_CIDRS', '10.0.0.0/24,'],
  ['ALLOW_CIDRS', '10.0.0.0/24 10.1.0.0/24'],
  ['ALLOW_CIDRS', '*'],
  ['TRUSTED_PROXIES', '0.0.0.0/0'],
  ['TRUSTED_PROXIES', 'true'],
  ['ALLOWED_HOSTS', 'http://claude.lan'],
  ['ALLOWED_HOSTS', 'claude.lan:8800'],
  ['ALLOW_WILDCARD_BIND', 'yes'],
  ['GATEWAY_CONCURRENCY', '0'],
  ['RUN_START_SECS', '0'],
  ['RUN_START_SECS', '1e3'],
  ['RUN_START_SECS', '86401'],
  ['PROMPT_LIMIT_MB', '0'],
  ['PROMPT_LIMIT_MB', 'Infinity'],
  ['DEFAULT_MODEL', '--help'],
  ['DEFAULT_MODEL', 'gpt'],
  ['ALLOWED_MODELS', 'sonnet,,opus'],
  ['AUDIT_PROMPTS', 'Full'],
  ['AUDIT_RETENTION_DAYS', '1.5'],
  ['LOG_LEVEL', 'loud'],
  ['ANTHROPIC_BASE_URL', 'localhost:80'],
  ['RUN_TIMEOUT_SECS', '3601'],
])('%s=%s is one problem that names the variable', (name, value) => {
  const problems = problemsOf({ [name]: value });
  expect(problems).toHaveLength(1);
  expect(problems[0]).toMatch(new RegExp(`^${name} .*must be`));
});

test.each(['GATEWAY_PROT', 'RUN_IDLE'])('%s, which looks like ours, is warned of', (name) => {
  const { warnings } = readConfig({ [name]: 'a value' }, '/srv', 2);
  expect(warnings).toEqual([expect.stringContaining(`${name} is not a variable`)]);
  expect(warnings[0]).not.toContain('a value');
});

test('the variable of compose.yml is not warned of', () => {
  expect(read({ GATEWAY_LAN_IP: '192.168.0.5' }).warnings).toEqual([]);
});

test('foreign variables are none of our business', () => {
  expect(problemsOf({ PATH: '/bin', RUNNER_OS: 'Linux', GATEWAYS: '1' })).toEqual([]);
});

test.each([
  'ADMIN_BOOTSTRAP_TOKEN',
  'ANTHROPIC_API_KEY',
  'ANTHROPIC_AUTH_TOKEN',
  'CLAUDE_CODE_OAUTH_TOKEN',
  'ANTHROPIC_BASE_URL',
])('a wrong %s is not repeated', (name) => {
  const message = problemsOf({ [name]: 'canary canary' }).join();
  expect(message).toContain(name);
  expect(message).not.toContain('canary');
});

describe('where it listens', () => {
  test.each(['localhost', '127.0.0.1', '::1', '192.168.0.5', '10.0.0.5', '100.64.0.1', 'fd00::1'])(
    '%s is local',
    (host) => {
      expect(problemsOf({ GATEWAY_HOST: host })).toEqual([]);
    },
  );

  test.each(['0.0.0.0', '::', '::ffff:0.0.0.0', '8.8.8.8', '2a00::1', '203.0.113.1'])(
    '%s must be allowed with ALLOW_WILDCARD_BIND',
    (host) => {
      expect(problemsOf({ GATEWAY_HOST: host })).toHaveLength(1);
      expect(problemsOf({ GATEWAY_HOST: host, ALLOW_WILDCARD_BIND: 'true' })).toEqual([]);
    },
  );
});

describe('.env.example', () => {
  const lines = readFileSync(new URL('../../.env.example', import.meta.url), 'utf8').split('\n');
  const settings = lines.flatMap((line, index) => {
    const [, name, value] = /^# ([A-Z_]+)=(.*)$/.exec(line) ?? [];
    return name === undefined ? [] : [{ name, value, explanation: lines[index - 1] ?? '' }];
  });

  test('names exactly the variables that are read here and in compose.yml, with their defaults', () => {
    // What several services read is there once.
    const ofOthers = [...Object.values(vaultVariables), ...Object.values(watcherVariables)].filter(
      ({ name }, index, all) =>
        !variableNames.has(name) && all.findIndex((other) => other.name === name) === index,
    );
    const expected = [
      ...Object.values(variables).map(({ name, fallbackText }) => ({
        name,
        value: fallbackText ?? '',
      })),
      ...[...composeVariableNames].map((name) => ({ name, value: '' })),
      ...ofOthers.map(({ name, fallbackText }) => ({ name, value: fallbackText ?? '' })),
    ];
    const shown = settings.map(({ name, value }) => ({ name, value }));
    expect(sortedByName(shown)).toEqual(sortedByName(expected));
  });

  test('explains each in a line and sets none', () => {
    for (const { explanation } of settings) expect(explanation).toMatch(/^# [^=]+\.$/);
    for (const line of lines) expect(line).toMatch(/^(#.*)?$/);
  });
});
