// The command line that is all that stands between a run and the host: read a change of a snapshot twice.
import { describe, expect, test } from 'vitest';

import { claudeArguments } from '../../gateway/claude/claude-arguments.ts';
import { bubblewrapArguments } from '../../gateway/sandbox/bubblewrap-arguments.ts';
import { launchCommand } from '../../gateway/sandbox/launch-command.ts';
import type { LaunchRequest } from '../../gateway/sandbox/launch-command.ts';
import { runDirectoryAt } from '../../gateway/sandbox/run-directory-layout.ts';
import { uidOfRunsUnderRoot } from '../../gateway/sandbox/sandbox-tier.ts';
import type { Sandbox, SandboxTier, SandboxTools } from '../../gateway/sandbox/sandbox-tier.ts';

const tools: SandboxTools = {
  ...{ bwrap: '/usr/bin/bwrap', choom: '/usr/bin/choom' },
  ...{ prlimit: '/usr/bin/prlimit', setpriv: '/usr/bin/setpriv' },
};
const request: LaunchRequest = {
  program: { path: '/host/claude', isScript: false },
  args: claudeArguments({ maxTurns: 3, maxBudgetUsd: null }),
  directory: runDirectoryAt('/data/runs/run_1'),
  loginDir: '/data/login',
};

function commandOf(
  tier: SandboxTier,
  options: {
    isRoot?: boolean;
    request?: Partial<LaunchRequest>;
    tools?: Partial<SandboxTools>;
  } = {},
) {
  const runUid = options.isRoot === true ? uidOfRunsUnderRoot : null;
  const sandbox: Sandbox = { tier, tools: { ...tools, ...options.tools }, runUid };
  return launchCommand(sandbox, { ...request, ...options.request });
}

/** One option with its values on a line. */
function written({ file, args, cwd, bwrapArguments }: ReturnType<typeof launchCommand>): string {
  const lines = [`cd ${cwd}`, file, ...args, ...(bwrapArguments === null ? [] : ['', 'fd 3:'])];
  const text = [...lines, ...(bwrapArguments ?? [])]
    .map((each) => each.replace(process.execPath, '<node of the gateway>'))
    .reduce((whole, each) => whole + (/^(?:-|\/usr\/bin\/|$|fd )/.test(each) ? '\n' : ' ') + each);
  return `${text}\n`;
}

describe('the command line of', () => {
  test.each<[SandboxTier, boolean]>([
    ['bwrap', false],
    ['bwrap', true],
    ['bwrap-procbind', false],
    ['bwrap-procbind', true],
    ['none', false],
  ])('tier %s, as root %s', async (tier, isRoot) => {
    const command = written(commandOf(tier, { isRoot }));
    const name = `${tier}${isRoot ? '-as-root' : ''}`;
    await expect(command).toMatchFileSnapshot(`snapshots/launch-${name}.txt`);
  });

  test.each([
    ['ro', false],
    ['rw', false],
    ['ro', true],
    ['rw', true],
  ] as const)('a run in a workspace for %s, as root %s', async (mode, isRoot) => {
    const workspace = { path: '/srv/notes', mode, owner: { uid: 1000, gid: 100 } };
    const command = written(commandOf('bwrap', { isRoot, request: { workspace } }));
    const name = `workspace-${mode}${isRoot ? '-as-root' : ''}`;
    await expect(command).toMatchFileSnapshot(`snapshots/launch-${name}.txt`);
  });

  test('a script shows the Node it runs on as well', () => {
    const program = { path: '/host/claude.ts', isScript: true };
    const { args, bwrapArguments } = commandOf('bwrap', { request: { program } });
    expect(args).toContain('/opt/cc/claude.ts');
    expect(bwrapArguments?.join(' ')).toContain(`--ro-bind ${process.execPath} /opt/cc/node`);
  });

  test('a host without choom, prlimit and setpriv goes on without them', () => {
    const bare = { tools: { choom: null, prlimit: null } };
    const barest = { tools: { ...bare.tools, setpriv: null } };
    expect(commandOf('none', barest)).toMatchObject({ file: '/host/claude', args: request.args });
    expect(commandOf('bwrap', bare).file).toBe('/usr/bin/bwrap');
  });
});

describe('a sandbox', () => {
  test('is needed for a workspace: without one nothing is started', () => {
    const workspace = { path: '/srv/notes', mode: 'ro', owner: { uid: 0, gid: 0 } } as const;
    expect(() => commandOf('none', { request: { workspace } })).toThrow('without a sandbox');
  });

  test('is never left out because its program is missing', () => {
    expect(() => commandOf('bwrap', { tools: { bwrap: null } })).toThrow('without bubblewrap');
    expect(() => commandOf('bwrap', { isRoot: true, tools: { setpriv: null } })).toThrow('setpriv');
  });

  test.each(['bwrap', 'bwrap-procbind'] as const)(
    'makes its root read-only after everything else was mounted: %s',
    (tier) => {
      const args = bubblewrapArguments(tier, { readOnly: [], writable: [] });
      const mounts = ['--ro-bind', '--bind', '--tmpfs', '--dev', '--proc', '--dir'];
      const lastMount = Math.max(...mounts.map((option) => args.lastIndexOf(option)));
      expect(args.indexOf('/', args.lastIndexOf('--remount-ro'))).toBeGreaterThan(lastMount);
    },
  );

  test.each([true, false])(
    'has nothing of the host on its own command line, as root %s',
    (isRoot) => {
      const { args } = commandOf('bwrap', { isRoot });
      const inner = args.slice(args.lastIndexOf('/usr/bin/bwrap'));
      expect(inner.join(' ')).not.toMatch(/\/data|\/host/);
    },
  );
});
