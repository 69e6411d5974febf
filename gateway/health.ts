// How the gateway is, part by part. Nothing here starts a run or spends a token.
import type { Database } from '#shared/database.ts';

import type { ClaudeLookup } from './claude/claude-installation.ts';
import type { RunQueue } from './runs/run-queue.ts';
import type { SignInBreaker } from './runs/sign-in-breaker.ts';
import type { SandboxTier } from './sandbox/sandbox-tier.ts';

export type Health = {
  summary: () => Promise<HealthSummary>;
  parts: () => Promise<HealthPart[]>;
};

export type HealthSummary = {
  ok: boolean;
  claude_present: boolean;
  claude_version: string | null;
  /** What runs have shown; `unknown` until one has. */
  authenticated: boolean | 'unknown';
  sandbox: SandboxTier;
};

export type HealthPart = { name: string; ok: boolean; message: string };

/** A run that waits longer than this says that the gateway does not keep up. */
const oldestWaitingMsMax = 10 * 60_000;

export function createHealth(deps: {
  db: Database;
  claude: ClaudeLookup;
  breaker: SignInBreaker;
  queue: RunQueue;
  sandbox: SandboxTier;
  hasDiskSpace: () => Promise<boolean>;
}): Health {
  const { breaker, sandbox } = deps;
  const selectOne = deps.db.prepare('select 1 from runs limit 1');
  const version = (): Promise<string | null> =>
    deps.claude.current().then(
      (installation) => installation.version,
      () => null,
    );
  const database = (): HealthPart => {
    try {
      selectOne.get();
      return part('database', true, 'answers');
    } catch {
      return part('database', false, 'does not answer');
    }
  };
  const queue = (): HealthPart => {
    const { running, waiting, oldestWaitingMs } = deps.queue.counts();
    const waitedSecs = Math.round((oldestWaitingMs ?? 0) / 1000);
    return part(
      'queue',
      (oldestWaitingMs ?? 0) < oldestWaitingMsMax,
      `${running} running, ${waiting} waiting, the oldest for ${waitedSecs} s`,
    );
  };
  const credential = (): HealthPart => {
    const signedIn = breaker.signedIn();
    if (signedIn === false) return part('credential', false, 'the last run was not signed in');
    return part('credential', true, signedIn === null ? 'not tried yet' : 'accepted');
  };
  return {
    async summary() {
      const claudeVersion = await version();
      const signedIn = breaker.signedIn();
      return {
        ok: claudeVersion !== null && signedIn !== false,
        claude_present: claudeVersion !== null,
        claude_version: claudeVersion,
        authenticated: signedIn ?? 'unknown',
        sandbox,
      };
    },
    async parts() {
      const [claudeVersion, hasSpace] = await Promise.all([version(), deps.hasDiskSpace()]);
      return [
        database(),
        part('disk', hasSpace, hasSpace ? 'enough room' : 'nearly full'),
        part('claude', claudeVersion !== null, claudeVersion ?? 'not found or not working'),
        credential(),
        part('sandbox', true, sandbox),
        queue(),
      ];
    },
  };
}

function part(name: string, ok: boolean, message: string): HealthPart {
  return { name, ok, message };
}
