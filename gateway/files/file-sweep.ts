// Bytes of files that have expired are gone within a minute.
import type { Clock } from '#shared/clock.ts';
import type { Log } from '#shared/log.ts';

import type { FileShelf } from './file-shelf.ts';

const intervalMs = 20_000;

export async function sweepFiles(
  { shelf, clock, log }: { shelf: FileShelf; clock: Clock; log: Log },
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await clock.sleep(intervalMs, signal).catch(() => {});
    try {
      if (!signal.aborted) await shelf.sweep();
    } catch (err) {
      log.error({ err }, 'expired files could not be removed');
    }
  }
}
