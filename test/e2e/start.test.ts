// The first minutes of an operator: what a start says, makes and refuses.
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { startGatewayProcess } from '../support/gateway-process.ts';
import type { GatewayProcess } from '../support/gateway-process.ts';

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'gatehouse-home-'));
});
afterEach(() => rm(home, { recursive: true }));

/** As `npm start` in an empty directory by somebody who has nothing: empty is unset. */
function start(env: Record<string, string> = {}): Promise<GatewayProcess> {
  const unset = [
    ...['GATEWAY_DATA_DIR', 'ADMIN_BOOTSTRAP_TOKEN', 'CLAUDE_BIN', 'SANDBOX', 'ANTHROPIC_API_KEY'],
  ].map((name) => [name, '']);
  return startGatewayProcess({
    cwd: home,
    dataDir: join(home, 'data'),
    env: { ...Object.fromEntries(unset), HOME: home, ...env },
    keep: true,
  });
}

/** What a start that fails says; nothing of it is a stack. */
async function refusal(env: Record<string, string>): Promise<string> {
  const message = await start(env).then(
    () => '',
    (err: unknown) => String(err),
  );
  expect(message).toContain('the gateway did not start');
  expect(message).not.toMatch(/\n\s+at |node:internal/);
  return message;
}

async function modeOf(path: string): Promise<string> {
  return ((await stat(join(home, path))).mode & 0o777).toString(8);
}

describe('a start without any configuration', () => {
  it('says where it listens, how safe it is, what it found and what is missing', async () => {
    await using gateway = await start();
    const report = gateway.stderr();
    expect(report).toContain(`Gatehouse gateway on ${gateway.url}\n`);
    expect(report).toMatch(/^ {2}sandbox {6}bwrap/m);
    expect(report).toMatch(/^ {2}claude {7}\d+\.\d+\.\d+ \(Claude Code\), \/.*claude/m);
    expect(report).toMatch(
      /^ {2}credential {3}NONE: set ANTHROPIC_API_KEY and restart the gateway, or/m,
    );
    expect(report).toMatch(/^ {2}admin token {2}data\/admin-token$/m);
    expect(gateway.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  });

  it('makes what it keeps readable for its user alone', async () => {
    await using gateway = await start();
    expect(gateway.dataDir).toBe(join(home, 'data'));
    expect(await readdir(home)).toEqual(['data']);
    expect(await modeOf('data')).toBe('700');
    expect(await modeOf('data/runs')).toBe('700');
    const files = (await readdir(join(home, 'data'))).filter((name) => name !== 'runs');
    expect(files).toContain('admin-token');
    const directories = new Set(['files', 'sessions']);
    const modes = await Promise.all(files.map((name) => modeOf(join('data', name))));
    expect(Object.fromEntries(files.map((name, index) => [name, modes[index]]))).toEqual(
      Object.fromEntries(files.map((name) => [name, directories.has(name) ? '700' : '600'])),
    );
  });

  it('shows a first command that works as it stands', async () => {
    await using gateway = await start();
    const command = /^ {2}(curl .*)$/m.exec(gateway.stderr())?.[1] ?? '';
    const { stdout } = await promisify(execFile)('sh', ['-c', command], { cwd: home });
    const { token } = JSON.parse(stdout);
    const answer = await gateway.run(token, { prompt: ' ' });
    expect(answer).toMatchObject({ status: 400, body: { error: { code: 'invalid_request' } } });
  });

  it('keeps its admin token over a restart, and ends well when asked to', async () => {
    const first = await start();
    const tokenPath = join(home, 'data/admin-token');
    const token = await readFile(tokenPath, 'utf8');
    expect(token).toMatch(/^cfadmin_\S{20,}\n?$/);
    first.child.kill('SIGTERM');
    expect(await first.exited).toEqual([0, null]);
    await using second = await start();
    expect(await readFile(tokenPath, 'utf8')).toBe(token);
    const headers = { authorization: `Bearer ${token.trim()}` };
    expect((await second.fetch('/admin/tokens', { headers })).status).toBe(200);
    expect(second.stdout() + second.stderr()).not.toContain(token.trim());
  });
});

describe('a start is refused in words', () => {
  it('naming every wrong variable at once, showing no secret and making nothing', async () => {
    const message = await refusal({
      ...{ GATEWAY_PORT: '99999', ALLOW_CIDRS: '10.0.0.0/ 24', SANDBOX: 'maybe' },
      ...{ RUN_TIMEOUT_SECS: '-1', ANTHROPIC_API_KEY: 'a secret with spaces' },
    });
    for (const name of ['GATEWAY_PORT', 'ALLOW_CIDRS', 'SANDBOX', 'RUN_TIMEOUT_SECS']) {
      expect(message).toMatch(new RegExp(`^ {2}${name} is "[^"]*": it must be `, 'm'));
    }
    expect(message).toContain('ANTHROPIC_API_KEY has a wrong value');
    expect(message).not.toContain('a secret');
    expect(await readdir(home)).toEqual([]);
  });

  it('when something else listens on its port', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const address = other.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    const message = await refusal({ GATEWAY_PORT: String(port) });
    expect(message).toContain(
      `cannot listen on 127.0.0.1 port ${port}: something else listens there already`,
    );
    other.close();
  });

  it('when another gateway uses its directory', async () => {
    await using first = await start();
    expect(await refusal({})).toContain(first.dataDir);
  });

  it('when it would listen for everybody without having been told so', async () => {
    expect(await refusal({ GATEWAY_HOST: '0.0.0.0' })).toContain('ALLOW_WILDCARD_BIND');
  });
});
