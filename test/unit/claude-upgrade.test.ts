import { describe, expect, it } from 'vitest';

import { isVersionName, upgradeClaude } from '../../cli/upgrade/claude-upgrade.ts';
import type { UpgradeSteps } from '../../cli/upgrade/claude-upgrade.ts';

type World = { pin: string; installed: string | null; done: string[] };

/** npm and vitest as they should be, but for the steps that are named. */
function world(broken: Partial<UpgradeSteps> = {}): { steps: UpgradeSteps; state: World } {
  const state: World = { pin: '1.0.0', installed: '1.0.0', done: [] };
  const note = (step: string): void => void state.done.push(step);
  const steps: UpgradeSteps = {
    pinned: () => state.pin,
    async install(version) {
      note(`install ${version}`);
      state.pin = version === 'latest' ? '2.0.0' : version;
      state.installed = state.pin;
      return true;
    },
    installedVersion: async () => state.installed,
    async testContract() {
      note('test');
      return true;
    },
    async restore() {
      note('restore');
      state.pin = '1.0.0';
      state.installed = '1.0.0';
      return true;
    },
    ...broken,
  };
  return { steps, state };
}

async function upgrade(wanted: string, { steps, state }: ReturnType<typeof world>) {
  const said: string[] = [];
  const code = await upgradeClaude(wanted, steps, (line) => void said.push(line));
  return { code, said: said.join('\n'), pin: state.pin, done: state.done };
}

describe('an upgrade', () => {
  it.each(['2.0.0', 'latest'])('to %s stays when the contract tests pass', async (wanted) => {
    expect(await upgrade(wanted, world())).toMatchObject({
      ...{ code: 0, pin: '2.0.0', done: [`install ${wanted}`, 'test'] },
      said: expect.stringContaining('claude 2.0.0 is pinned, in place of 1.0.0'),
    });
  });

  it('to what is pinned does nothing', async () => {
    expect(await upgrade('1.0.0', world())).toMatchObject({ code: 0, done: [] });
  });

  it.each<[string, Partial<UpgradeSteps>, RegExp]>([
    ['cannot be installed', { install: async () => false }, /could not be installed/],
    [
      'has no npm',
      { install: () => Promise.reject(new Error('ENOENT')) },
      /could not be installed/,
    ],
    ['fails the tests', { testContract: async () => false }, /contract tests failed/],
    ['has no vitest', { testContract: () => Promise.reject(new Error('ENOENT')) }, /tests failed/],
  ])('that %s goes back', async (_what, broken, problem) => {
    const { code, said, pin, done } = await upgrade('2.0.0', world(broken));
    expect({ code, pin, last: done.at(-1) }).toEqual({ code: 1, pin: '1.0.0', last: 'restore' });
    expect(said).toMatch(problem);
    expect(said).toContain('claude 1.0.0 is pinned and installed, as before.');
  });

  it.each<[string, string | null, RegExp]>([
    ['does not start', null, /2\.0\.0 does not start/],
    ['is another than it should be', '1.5.0', /says it is 1\.5\.0, not 2\.0\.0/],
  ])('to a program that %s goes back without testing it', async (_what, installed, problem) => {
    const here = world();
    const right = here.steps.install;
    here.steps.install = async (version) => {
      await right(version);
      here.state.installed = installed;
      return true;
    };
    const { code, said, done } = await upgrade('2.0.0', here);
    expect({ code, done }).toEqual({ code: 1, done: ['install 2.0.0', 'restore'] });
    expect(said).toMatch(problem);
  });

  it('that cannot go back either says how to', async () => {
    const broken = { testContract: async () => false, restore: async () => false };
    const { code, said } = await upgrade('2.0.0', world(broken));
    expect(code).toBe(3);
    expect(said).toContain('npm ci');
  });
});

it.each([
  ['2.1.329', true],
  ['2.1.329-beta.1', true],
  ['latest', true],
  ['stable', true],
  ['--force', false],
  ['-g', false],
  ['^2.1.0', false],
  ['../x', false],
  ['https://example.org/x.tgz', false],
  ['2.1.3 x', false],
  ['', false],
])('%j may be asked for: %s', (text, isName) => {
  expect(isVersionName(text)).toBe(isName);
});
