// How a run is ended: asked first, told next, killed last. How long each step gets depends on who waits.
import type { Clock } from '#shared/clock.ts';

import type { ClaudeProcess } from '../claude/claude-process.ts';
import type { StopReason } from './verdict.ts';

type Step = { afterMs: number; act: 'interrupt' | 'terminate' | 'kill' };

/** Nobody waits for the answer, or somebody waits for it to be over: gone within a second. */
const short: readonly Step[] = [
  { afterMs: 0, act: 'interrupt' },
  { afterMs: 300, act: 'kill' },
];

/** The CLI may still write down what it spent. */
const long: readonly Step[] = [
  { afterMs: 0, act: 'interrupt' },
  { afterMs: 1000, act: 'terminate' },
  { afterMs: 5000, act: 'kill' },
];

const atOnce: readonly Step[] = [{ afterMs: 0, act: 'kill' }];

const ladders: Record<StopReason | 'at_once', readonly Step[]> = {
  timeout_start: long,
  timeout_idle: long,
  timeout_total: long,
  rate_limited: short,
  overloaded: short,
  upstream_error: short,
  cancelled: short,
  client_gone: short,
  interrupted: short,
  output_too_large: atOnce,
  disk_full: atOnce,
  at_once: atOnce,
};

/** Resolves when the last step is taken or the signal says that the process is gone. */
export async function climbDown(
  claude: Pick<ClaudeProcess, 'interrupt' | 'finish' | 'terminate' | 'kill'>,
  reason: StopReason | 'at_once',
  clock: Clock,
  gone: AbortSignal,
): Promise<void> {
  let passedMs = 0;
  for (const { afterMs, act } of ladders[reason]) {
    const waited = await clock.sleep(afterMs - passedMs, gone).then(
      () => true,
      () => false,
    );
    if (!waited) return;
    passedMs = afterMs;
    claude[act]();
    // With nothing more to read, the CLI exits once it has been interrupted.
    if (act === 'interrupt') claude.finish();
  }
}
