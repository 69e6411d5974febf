// The kernel refuses to make another process (EAGAIN): the run is told to come back, the gateway goes on.
import { execFileSync } from 'node:child_process';
import { chownSync, mkdtempDisposableSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { startGatewayProcess } from '../support/gateway-process.ts';
import { expectNothingLeft } from '../support/leak-check.ts';
import { projectDir } from '../support/test-gateway.ts';

const isRoot = process.getuid?.() === 0;
/** Nobody else's, so that its processes are all the gateway's. The kernel sets root no such limit. */
const uid = 64_777;
const launcher = isRoot
  ? ['setpriv', '--reuid', `${uid}`, '--regid', `${uid}`, '--clear-groups']
  : [];

/** As the user that the gateway has. */
function execute(...args: string[]): void {
  const [file = '', ...rest] = [...launcher, ...args];
  execFileSync(file, rest, { cwd: projectDir, stdio: 'pipe' });
}

const canStart = ((): boolean => {
  try {
    execute(process.execPath, '--version');
    return true;
  } catch {
    return false;
  }
})();

function softProcessLimit(pid: number): string {
  const limits = readFileSync(`/proc/${pid}/limits`, 'utf8');
  return /^Max processes\s+(\S+)/m.exec(limits)?.[1] ?? 'unlimited';
}

function limitProcesses(pid: number, limit: string): void {
  execute('prlimit', '--pid', `${pid}`, `--nproc=${limit}:`);
}

test.skipIf(!canStart)(
  'no more processes: 503, and as before when there are some again',
  async () => {
    using directory = mkdtempDisposableSync(join(tmpdir(), 'gatehouse-'));
    if (isRoot) chownSync(directory.path, uid, uid);
    await using gateway = await startGatewayProcess({
      dataDir: directory.path,
      keep: true,
      launcher,
    });
    const pid = gateway.child.pid ?? 0;
    const token = await gateway.mint('app');
    expect((await gateway.run(token, { prompt: 'before' })).body.result).toBe('before');

    const usual = softProcessLimit(pid);
    limitProcesses(pid, '1');
    const answers = await Promise.all(
      [1, 2, 3].map(() => gateway.run(token, { prompt: 'meanwhile' })),
    );
    for (const answer of answers) {
      const error = {
        code: 'spawn_failed',
        retryable: true,
        message: expect.stringContaining('EAGAIN'),
      };
      expect(answer).toMatchObject({ status: 503, body: { error } });
      expect(answer.headers.get('retry-after')).toMatch(/^\d+$/);
    }
    expect((await gateway.fetch('/livez')).status).toBe(200);

    limitProcesses(pid, usual);
    expect((await gateway.run(token, { prompt: 'after' })).body.result).toBe('after');
    await expectNothingLeft(directory.path);
  },
);
