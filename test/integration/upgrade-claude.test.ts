// npm run upgrade:claude in a copy of the project, with npm, vitest and claude stood in for.
import { execFile } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempDisposableSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { afterEach, beforeEach, expect, it } from 'vitest';

import { pinnedClaude } from '../support/doctor-run.ts';
import { projectDir } from '../support/test-gateway.ts';

let copy: ReturnType<typeof mkdtempDisposableSync>;
const at = (path: string): string => join(copy.path, path);

/** Writes the version it is told into package.json, or installs the one that stands there. */
const npm = `#!/bin/sh
echo "npm $*" >> "$0.log"
case "$*" in
  *@anthropic-ai/claude-code@0.0.404*) exit 1 ;;
  *@anthropic-ai/claude-code@*)
    version=\${*##*@}
    sed -i 's|\\("@anthropic-ai/claude-code": "\\)[^"]*|\\1'$version'|' package.json
    echo changed > package-lock.json ;;
esac
sed -n 's|.*"@anthropic-ai/claude-code": "\\([^"]*\\)".*|\\1 (Claude Code)|p' package.json > "$0.version"
`;

beforeEach(() => {
  copy = mkdtempDisposableSync(join(tmpdir(), 'gatehouse-copy-'));
  for (const name of ['cli', 'gateway', 'shared', 'package.json', 'package-lock.json']) {
    cpSync(join(projectDir, name), at(name), { recursive: true });
  }
  mkdirSync(at('test/e2e'), { recursive: true });
  writeFileSync(at('test/e2e/cli-contract-stand-in.test.ts'), '');
  mkdirSync(at('node_modules/.bin'), { recursive: true });
  const packages = readdirSync(join(projectDir, 'node_modules')).filter((name) => name[0] !== '.');
  for (const name of packages) {
    symlinkSync(join(projectDir, 'node_modules', name), at(`node_modules/${name}`));
  }
  program('npm', npm);
  program('claude', `#!/bin/sh\ncat "$(dirname "$0")/npm.version"\n`);
  writeFileSync(at('node_modules/.bin/npm.version'), `${pinnedClaude} (Claude Code)\n`);
});
afterEach(() => copy.remove());

function program(name: string, text: string): void {
  writeFileSync(at(`node_modules/.bin/${name}`), text, { mode: 0o755 });
}

async function upgrade(version: string): Promise<{ code: number; stdout: string }> {
  const run = promisify(execFile)(process.execPath, [at('cli/upgrade-claude.ts'), version]);
  return run.then(
    ({ stdout }) => ({ code: 0, stdout }),
    (err: { code: number; stdout: string }) => ({ code: err.code, stdout: err.stdout }),
  );
}

function pinFiles(dir: string): string[] {
  return ['package.json', 'package-lock.json'].map((name) => readFileSync(join(dir, name), 'utf8'));
}

it('pins exactly what passes the contract tests, where it was pinned before', async () => {
  program('vitest', '#!/bin/sh\necho "$*" > "$0.log"\n');
  const { code, stdout } = await upgrade('9.8.7');
  expect(stdout).toContain(`claude 9.8.7 is pinned, in place of ${pinnedClaude}`);
  expect(code).toBe(0);
  const { dependencies } = JSON.parse(readFileSync(at('package.json'), 'utf8'));
  expect(dependencies['@anthropic-ai/claude-code']).toBe('9.8.7');
  expect(readFileSync(at('node_modules/.bin/npm.log'), 'utf8')).toContain(
    '--save-exact --save-prod',
  );
  expect(readFileSync(at('node_modules/.bin/vitest.log'), 'utf8')).toBe(
    'run --bail=3 --project e2e test/e2e/cli-contract-stand-in.test.ts\n',
  );
});

it('goes back byte for byte when they fail', async () => {
  program('vitest', '#!/bin/sh\nexit 1\n');
  const { code, stdout } = await upgrade('9.8.7');
  expect(stdout).toContain(`claude ${pinnedClaude} is pinned and installed, as before.`);
  expect(code).toBe(1);
  expect(pinFiles(copy.path)).toEqual(pinFiles(projectDir));
});

it('goes back when there is no such version, and tests nothing', async () => {
  program('vitest', '#!/bin/sh\ntouch "$0.log"\n');
  expect((await upgrade('0.0.404')).code).toBe(1);
  expect(pinFiles(copy.path)).toEqual(pinFiles(projectDir));
  expect(existsSync(at('node_modules/.bin/vitest.log'))).toBe(false);
});

it('goes back when it is stopped in the middle', async () => {
  program('vitest', '#!/bin/sh\nkill -TERM $PPID\nexec sleep 600\n');
  const { code, stdout } = await upgrade('9.8.7');
  expect(stdout).toContain('as before');
  expect(code).toBe(1);
  expect(pinFiles(copy.path)).toEqual(pinFiles(projectDir));
});

it('takes nothing that is not a version', async () => {
  expect((await upgrade('--force')).code).toBe(2);
  expect(existsSync(at('node_modules/.bin/npm.log'))).toBe(false);
});
