// Why a run came to nothing before it had a process.
import { ClaudeUnavailableError } from '../claude/claude-installation.ts';
import { SessionEndedError, SessionFullError } from '../sessions/session-errors.ts';
import { WorkspaceUnusableError } from '../workspaces/workspace.ts';
import type { FailedOutcome } from './outcome.ts';

/** As a verdict has it. */
export type StartFailure = { outcome: FailedOutcome; message: string; retryAfterSecs?: number };

const startRetrySecs = 5;

/** What is said of a run whose process could not be started. */
export function failureToStart(err: unknown): StartFailure {
  if (err instanceof ClaudeUnavailableError) {
    return err.code === 'missing'
      ? { outcome: 'cli_missing', message: 'The claude command is not installed on the gateway.' }
      : {
          outcome: 'spawn_failed',
          message: 'The claude command on the gateway cannot be executed.',
          retryAfterSecs: startRetrySecs,
        };
  }
  if (err instanceof WorkspaceUnusableError) {
    return { outcome: 'spawn_failed', message: err.message, retryAfterSecs: startRetrySecs };
  }
  if (err instanceof SessionEndedError) return { outcome: 'cancelled', message: err.message };
  if (err instanceof SessionFullError) return { outcome: 'disk_full', message: err.message };
  if (isDiskFull(err)) {
    return { outcome: 'disk_full', message: 'The disk of the gateway is full.' };
  }
  return {
    outcome: 'spawn_failed',
    message: 'The run could not be prepared on the gateway.',
    retryAfterSecs: startRetrySecs,
  };
}

const fullCodes: unknown[] = ['ENOSPC', 'EDQUOT', 'disk_full'];

function isDiskFull(err: unknown): boolean {
  return err instanceof Error && 'code' in err && fullCodes.includes(err.code);
}
