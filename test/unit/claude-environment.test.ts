import { describe, expect, test } from 'vitest';

import { claudeEnvironment } from '../../gateway/claude/claude-environment.ts';
import { runDirectoryAt } from '../../gateway/sandbox/run-directory-layout.ts';

const options = {
  ...{ runId: 'run_1', tier: 'bwrap' as const, directory: runDirectoryAt('/data/runs/run_1') },
  ...{ credential: {}, loginDir: null, baseUrl: null },
};

const always = [
  ...['PATH', 'HOME', 'TMPDIR', 'LANG', 'GATEHOUSE_RUN'],
  ...['CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC', 'DISABLE_AUTOUPDATER', 'CLAUDE_CODE_MAX_RETRIES'],
  ...['CLAUDE_CODE_DISABLE_NONSTREAMING_FALLBACK', 'CLAUDE_CODE_DISABLE_BACKGROUND_TASKS'],
  ...['CLAUDE_CODE_DISABLE_ATTACHMENTS', 'CLAUDE_CODE_RETRY_WATCHDOG'],
].toSorted();

describe('the environment of a run', () => {
  test('holds these names and no other', () => {
    expect(Object.keys(claudeEnvironment(options)).toSorted()).toEqual(always);
  });

  test.each<[what: string, more: object, added: Record<string, string>]>([
    ['a key', { credential: { ANTHROPIC_API_KEY: 'k' } }, { ANTHROPIC_API_KEY: 'k' }],
    ['an address of the API', { baseUrl: 'http://x' }, { ANTHROPIC_BASE_URL: 'http://x' }],
    ['a login', { loginDir: '/data/login' }, { CLAUDE_SECURESTORAGE_CONFIG_DIR: '/login' }],
    [
      'a login without a sandbox',
      { loginDir: '/data/login', tier: 'none' },
      { CLAUDE_SECURESTORAGE_CONFIG_DIR: '/data/login' },
    ],
  ])('gets nothing more for %s', (_what, more, added) => {
    const environment = claudeEnvironment({ ...options, ...more });
    expect(environment).toMatchObject(added);
    expect(Object.keys(environment).toSorted()).toEqual(
      [...always, ...Object.keys(added)].toSorted(),
    );
  });

  test('in a workspace finds no program of the host: git would do what a repository says', () => {
    expect(claudeEnvironment({ ...options, workspace: {} })['PATH']).toBe('/opt/cc');
    expect(claudeEnvironment(options)['PATH']).toBe('/opt/cc:/usr/local/bin:/usr/bin:/bin');
  });

  test('takes nothing over from the gateway', () => {
    process.env['GATEHOUSE_CANARY'] = 'a-canary';
    try {
      expect(JSON.stringify(claudeEnvironment(options))).not.toContain('a-canary');
    } finally {
      delete process.env['GATEHOUSE_CANARY'];
    }
  });

  test('has neutral names inside a sandbox, and the real ones without', () => {
    expect(claudeEnvironment(options)).toMatchObject({
      ...{ HOME: '/home/run', TMPDIR: '/tmp', PATH: '/opt/cc:/usr/local/bin:/usr/bin:/bin' },
    });
    expect(claudeEnvironment({ ...options, tier: 'none' })).toMatchObject({
      ...{ HOME: '/data/runs/run_1/home', TMPDIR: '/data/runs/run_1/tmp' },
    });
  });
});
