#!/usr/bin/env node
// Stands in for a CLI that has been turned against its host: the prompt is a JSON list of attacks, the answer what came of each.
import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import { connect } from 'node:net';
import { hostname } from 'node:os';
import { setTimeout as sleepFor } from 'node:timers/promises';

if (process.argv.includes('--version')) {
  fs.writeSync(1, '6.6.6 (Claude Code)\n');
  process.exit(0);
}

const mebibyte = Buffer.alloc(2 ** 20, 1);

const attacks: Record<string, (...args: string[]) => unknown> = {
  read: (path) => fs.readFileSync(path ?? '', 'latin1').slice(0, 20_000),
  list: (path) => fs.readdirSync(path ?? ''),
  write: (path) => fs.writeFileSync(path ?? '', 'written by a run'),
  symlink: (target, path) => fs.symlinkSync(target ?? '', path ?? ''),
  'lock-up': (path) => {
    fs.mkdirSync(`${path}/inner`, { recursive: true });
    fs.writeFileSync(`${path}/inner/file`, 'x');
    fs.chmodSync(`${path}/inner`, 0);
    fs.chmodSync(path ?? '', 0);
  },
  signal: (pid, name) => process.kill(Number(pid), name),
  /** What a debugger needs of its victim. */
  debug: (pid) => fs.closeSync(fs.openSync(`/proc/${pid}/mem`, 'r+')),
  connect: (...[address = '']) => touch(address),
  processes: () => fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name)),
  self: () => ({
    ...{ uid: process.getuid?.(), gid: process.getgid?.(), groups: process.getgroups?.() },
    ...{ hostname: hostname(), env: { ...process.env } },
    status: fs.readFileSync('/proc/self/status', 'utf8'),
    init: fs.readFileSync('/proc/1/comm', 'utf8').trim(),
  }),
  descriptors: () =>
    fs.readdirSync('/proc/self/fd').flatMap((fd) => {
      try {
        return [[Number(fd), fs.readlinkSync(`/proc/self/fd/${fd}`)]];
      } catch {
        return [];
      }
    }),
  command: (file, ...args) => {
    const { status, stderr, error } = spawnSync(file ?? '', args, { encoding: 'utf8' });
    if (error !== undefined) throw error;
    if (status !== 0) throw new Error(stderr);
  },
  /** Megabytes that went in before it was full. */
  fill: (path, most) => {
    const file = fs.openSync(path ?? '', 'w');
    let written = 0;
    try {
      while (written < Number(most)) written += fs.writeSync(file, mebibyte) / mebibyte.length;
    } catch {
      // Full.
    }
    fs.rmSync(path ?? '');
    return written;
  },
  /** Files without end, a little at a time. */
  litter: async (path) => {
    for (let index = 0; ; index += 1) {
      fs.writeFileSync(`${path}/${index}`, Buffer.alloc(64 * 1024, 1));
      if (index % 16 === 0) await sleepFor(1);
    }
  },
  /** How many processes could be started. */
  forks: async (most) => {
    const children: ChildProcess[] = [];
    for (let index = 0; index < Number(most); index += 1) {
      const child = spawn('sleep', ['600'], { stdio: 'ignore' });
      child.on('error', () => {});
      if (child.pid === undefined) break;
      children.push(child);
    }
    return children.length;
  },
  /** A grandchild in a session of its own that ignores every polite signal and holds the output open. */
  'leave-behind': () => {
    const stubborn = `trap '' TERM HUP INT PIPE; while :; do sleep 600; done`;
    const script = `(setsid sh -c "${stubborn}" &) & exit 0`;
    spawn('sh', ['-c', script], { detached: true, stdio: ['ignore', 'inherit', 'inherit'] });
  },
  /** Never ends, and refuses to be asked. */
  stay: async () => {
    process.on('SIGTERM', () => {});
    await sleepFor(2 ** 31 - 1);
  },
};

async function touch(address: string): Promise<void> {
  const port = Number(address);
  // A leading @ is an abstract socket.
  const target = Number.isNaN(port) ? { path: address.replace(/^@/, '\0') } : { port };
  const socket = connect(target);
  await once(socket, 'connect');
  socket.destroy();
}

async function attempt([name = '', ...args]: string[]): Promise<object> {
  try {
    const attack = attacks[name];
    if (attack === undefined) throw new Error(`no attack ${name}`);
    return { won: (await attack(...args)) ?? true };
  } catch (err) {
    const { code, message } = err as NodeJS.ErrnoException;
    return { lost: code ?? message };
  }
}

function writeLine(line: object): void {
  fs.writeSync(1, `${JSON.stringify(line)}\n`);
}

async function obey(prompt: string): Promise<void> {
  writeLine({ type: 'system', subtype: 'init', tools: [] });
  const outcomes = [];
  for (const attack of JSON.parse(prompt) as string[][]) outcomes.push(await attempt(attack));
  const result = JSON.stringify(outcomes);
  const message = { id: 'msg_1', model: 'hostile', content: [{ type: 'text', text: result }] };
  writeLine({ type: 'assistant', message });
  const rest = { stop_reason: 'end_turn', terminal_reason: 'completed', total_cost_usd: 0 };
  writeLine({ type: 'result', subtype: 'success', is_error: false, result, num_turns: 1, ...rest });
  process.exit(0);
}

let input = '';
process.stdin.setEncoding('utf8').on('data', (chunk: string) => {
  input += chunk;
  const lines = input.split('\n');
  input = lines.pop() ?? '';
  for (const line of lines.filter(Boolean)) {
    const message = JSON.parse(line) as { type: string; message: { content: string } };
    if (message.type === 'user') void obey(message.message.content);
  }
});
