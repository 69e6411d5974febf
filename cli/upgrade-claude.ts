// npm run upgrade:claude [-- <version>]: pins another version of the claude CLI if the contract tests pass with it, and goes back
// if they do not. 0 it is pinned (or was already), 1 it is not and all is as before, 2 wrong usage, 3 going back did not work.
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { execa } from 'execa';

import { claudePackage, readClaudePin } from './doctor/claude-check.ts';
import { isVersionName, upgradeClaude } from './upgrade/claude-upgrade.ts';
import type { UpgradeSteps } from './upgrade/claude-upgrade.ts';

const projectDir = dirname(import.meta.dirname);
const pinFiles = ['package.json', 'package-lock.json'];

const [wanted = 'latest', ...rest] = process.argv.slice(2);
if (rest.length > 0 || !isVersionName(wanted)) {
  process.stderr.write('npm run upgrade:claude [-- <version>], such as 2.1.329 or latest\n');
  process.exitCode = 2;
} else {
  // Ends npm or the tests, which is a failure like any other: this has to live on to go back.
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => stop.abort());
  process.exitCode = await upgradeClaude(wanted, steps(stop.signal), (line) => {
    process.stdout.write(`${line}\n`);
  });
}

function steps(stop: AbortSignal): UpgradeSteps {
  const { section } = readClaudePin(projectDir);
  const saved = new Map(pinFiles.map((name) => [name, readFileSync(join(projectDir, name))]));
  return {
    pinned: () => readClaudePin(projectDir).version,
    async install(version) {
      const save = section === 'dependencies' ? '--save-prod' : '--save-dev';
      const spec = `${claudePackage}@${version}`;
      return succeeds(
        'npm',
        ['install', '--save-exact', save, '--no-audit', '--no-fund', spec],
        stop,
      );
    },
    installedVersion,
    testContract: () =>
      // A version that differs may hang in one test after the other.
      succeeds('vitest', ['run', '--bail=3', '--project', 'e2e', ...contractTests()], stop),
    async restore() {
      for (const [name, content] of saved) writeFileSync(join(projectDir, name), content);
      // Only what differs from the lockfile is fetched again, and the lockfile itself stays as it is.
      const isInstalled = await succeeds('npm', ['install', '--no-audit', '--no-fund']);
      for (const [name, content] of saved) writeFileSync(join(projectDir, name), content);
      return isInstalled;
    },
  };
}

function contractTests(): string[] {
  return globSync('test/e2e/cli-contract*.test.ts', { cwd: projectDir });
}

async function installedVersion(): Promise<string | null> {
  const file = join(projectDir, 'node_modules/.bin/claude');
  const env = { DISABLE_AUTOUPDATER: '1' };
  const result = await execa(file, ['--version'], { env, reject: false, timeout: 30_000 });
  return result.exitCode === 0 ? (/^\d+\.\d+\.\d+\S*/.exec(result.stdout)?.[0] ?? null) : null;
}

async function succeeds(
  file: string,
  args: readonly string[],
  stop?: AbortSignal,
): Promise<boolean> {
  const result = await execa(file, args, {
    cwd: projectDir,
    preferLocal: true,
    localDir: projectDir,
    stdio: ['ignore', 'inherit', 'inherit'],
    reject: false,
    ...(stop === undefined ? {} : { cancelSignal: stop }),
  });
  return result.exitCode === 0;
}
