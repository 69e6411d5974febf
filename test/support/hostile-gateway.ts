// A gateway as a process of its own whose CLI is hostile, on the ground that is asked for.
import { spawnSync } from 'node:child_process';
import { chown, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { startGatewayProcess } from './gateway-process.ts';
import type { GatewayProcess } from './gateway-process.ts';
import { projectDir } from './test-gateway.ts';

/** What came of an attack: what it got, or the error it ran into. */
// oxlint-disable-next-line typescript/no-explicit-any -- whatever the hostile CLI says
export type AttackOutcome = { won?: any; lost?: string };

export type HostileGateway = GatewayProcess & {
  token: string;
  attack: (...attacks: string[][]) => Promise<AttackOutcome[]>;
};

export const hostileClaude = join(projectDir, 'test/support/hostile-claude.ts');
const nobody = 65534;

/** What Docker does to /proc: with a part of it covered, the kernel lets no user namespace mount a fresh one. */
export const withMaskedProc = [
  ...['bwrap', '--dev-bind', '/', '/', '--ro-bind', '/dev/null', '/proc/swaps'],
  ...['--cap-add', 'ALL', '--die-with-parent', '--'],
];
export const asNobody = [
  ...['setpriv', '--reuid', String(nobody), '--regid', String(nobody), '--clear-groups', '--'],
];

/** Whether the gateway can be started as that user: root can become it, and it can read the project. */
export const nobodyCanRun =
  process.getuid?.() === 0 &&
  spawnSync('setpriv', [...asNobody.slice(1), 'test', '-r', hostileClaude]).status === 0;

export async function startHostileGateway(
  launcher: string[],
  env: Record<string, string> = {},
): Promise<HostileGateway> {
  const dataDir = await mkdtemp(join(tmpdir(), 'gatehouse-hostile-'));
  if (launcher.includes('setpriv')) await chown(dataDir, nobody, nobody);
  const gateway = await startGatewayProcess({
    launcher,
    dataDir,
    env: { CLAUDE_BIN: hostileClaude, SANDBOX: 'require', SHUTDOWN_GRACE_SECS: '0', ...env },
  });
  const token = await gateway.mint('hostile');
  return {
    ...gateway,
    token,
    async attack(...attacks) {
      const answer = await gateway.run(token, { prompt: JSON.stringify(attacks) });
      if (answer.status !== 200) throw new Error(`the attack had no answer: ${answer.text}`);
      return answer.body.result;
    },
  };
}

/** One field of /proc/<pid>/status, as a run printed it. */
export function statusField(status: string, name: string): string | undefined {
  return new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(status)?.[1];
}
