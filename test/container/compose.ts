// compose.yml as shipped, with what the check adds, under a name of its own.
import { dirname } from 'node:path';

import { execa } from 'execa';

const projectDir = dirname(dirname(import.meta.dirname));
const project = 'gatehouse-check';
const files = ['-f', 'compose.yml', '-f', 'test/container/compose.check.yml'];

export type ComposeSettings = {
  GATEWAY_LAN_IP?: string;
  ALLOW_CIDRS?: string;
  CHECK_CLAUDE_BIN?: string;
  COMPOSE_PROFILES?: string;
  POSTGRES_PASSWORD?: string;
};

/** Settings of the shell and of .env stay out, real credentials above all. */
export async function compose(args: string[], settings: ComposeSettings = {}): Promise<string> {
  const { PATH = '', HOME = '', DOCKER_HOST, DOCKER_API_VERSION, DOCKER_CONTEXT } = process.env;
  const env = { PATH, HOME, DOCKER_HOST, DOCKER_API_VERSION, DOCKER_CONTEXT, ...settings };
  const { stdout } = await execa(
    'docker',
    ['compose', '-p', project, '--env-file', '/dev/null', ...files, ...args],
    { cwd: projectDir, env, extendEnv: false, timeout: 15 * 60_000 },
  );
  return stdout;
}

/** With SIGKILL, all at once, as when the machine is reset. */
export async function killAll(): Promise<void> {
  const ids = (await compose(['ps', '-q'])).trim().split('\n');
  await execa('docker', ['kill', '-s', 'KILL', ...ids]);
}

export async function inGateway(command: string[]): Promise<string> {
  return compose(['exec', '-T', 'gateway', ...command]);
}

export async function inspectGateway(format: string): Promise<string> {
  const id = await compose(['ps', '-a', '-q', 'gateway']);
  const { stdout } = await execa('docker', ['inspect', '-f', format, id.trim()]);
  return stdout.trim();
}

/** Every process in the container but the one that looks, and which of them are zombies. */
export async function processesInGateway(): Promise<{ count: number; zombies: number }> {
  const look = `
    const { readdirSync, readFileSync } = require('node:fs');
    const stats = readdirSync('/proc').filter((name) => /^\\d+$/.test(name) && Number(name) !== process.pid).flatMap((pid) => {
      try { return [readFileSync('/proc/' + pid + '/stat', 'latin1')]; } catch { return []; }
    });
    console.log(JSON.stringify({ count: stats.length, zombies: stats.filter((stat) => /\\) Z /.test(stat)).length }));`;
  return JSON.parse(await inGateway(['node', '-e', look]));
}
