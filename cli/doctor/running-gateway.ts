// Whether a gateway runs on our data directory, found out without taking its lock, and what it says of itself.
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { Type } from 'typebox';
import type { Static } from 'typebox';
import { Compile } from 'typebox/compile';

import { listenUrl } from '#shared/listen.ts';

import type { GatewayConfig } from '../../gateway/config.ts';
import { pass, warn } from './finding.ts';
import type { Finding } from './finding.ts';

const Health = Type.Object({
  claude_present: Type.Boolean(),
  authenticated: Type.Union([Type.Boolean(), Type.Literal('unknown')]),
  sandbox: Type.String(),
});
export type AnsweredHealth = Static<typeof Health>;
const HealthAnswer = Compile(Health);

export type RunningGateway = {
  url: string;
  /** The process that holds the data directory; null when none does. */
  holderPid: number | null;
  /** What a gateway at the configured address answered; null when none did. */
  health: AnsweredHealth | null;
};

const answerWithinMs = 3000;

export async function findRunningGateway({
  listen,
  dataDir,
}: GatewayConfig): Promise<RunningGateway> {
  const url = listenUrl(listen.host, listen.port);
  const holderPid = lockHolder(join(dataDir, 'gateway.lock'));
  return { url, holderPid, health: listen.port === 0 ? null : await askHealth(url) };
}

async function askHealth(url: string): Promise<AnsweredHealth | null> {
  try {
    const signal = AbortSignal.timeout(answerWithinMs);
    const answer: unknown = await (await fetch(`${url}/healthz`, { signal })).json();
    return HealthAnswer.Check(answer) ? answer : null;
  } catch {
    return null;
  }
}

function lockHolder(path: string): number | null {
  try {
    const inode = statSync(path, { throwIfNoEntry: false })?.ino;
    if (inode === undefined) return null;
    return writeLockHolder(readFileSync('/proc/locks', 'utf8'), inode);
  } catch {
    return null;
  }
}

/** Asking the kernel for the lock itself would be in the way of a gateway that starts at this moment. */
export function writeLockHolder(locks: string, inode: number): number | null {
  const held = [...locks.matchAll(/^\d+: POSIX +\w+ +WRITE +(\d+) [\da-f]+:[\da-f]+:(\d+) /gm)];
  const line = held.find(([, , ofInode]) => Number(ofInode) === inode);
  return line === undefined ? null : Number(line[1]);
}

export function judgeRunning({ url, holderPid, health }: RunningGateway): Finding {
  const name = 'gateway';
  if (holderPid === null && health === null) return pass(name, 'not running');
  if (holderPid === null) {
    return warn(
      name,
      `one answers at ${url}, but it uses another data directory than the one looked at here`,
      'run the doctor where the gateway runs, with its environment: in a container, docker compose exec gateway node cli/doctor.ts',
    );
  }
  if (health !== null) return pass(name, `running as process ${holderPid}, answers at ${url}`);
  return warn(
    name,
    `running as process ${holderPid}, but it does not answer at ${url}`,
    'run the doctor with the environment of the gateway (its .env, its systemd unit); if it is the same, look at its log',
  );
}
