// How a process of ours starts, and how it ends whatever happens.
import closeWithGrace from 'close-with-grace';

import { StartError } from './errors.ts';
import type { Log } from './log.ts';

export type ServiceOptions = {
  log: Log;
  /** From the first signal to the end of the process, at most. */
  graceMs: number;
  /**
   * Opens everything, each thing adopted by the stack at once: they are released newest first when
   * the service ends and when the start fails half way. The signal aborts when it is to stop.
   */
  open: (opened: AsyncDisposableStack, signal: AbortSignal) => Promise<void>;
  /** Synchronous, before an end that waits for nothing: second signal, grace over. */
  onForcedExit?: () => void;
};

/** Resolves when everything is open or the start has failed; the process then ends by itself. */
export async function runService(options: ServiceOptions): Promise<void> {
  const { log } = options;
  const opened = new AsyncDisposableStack();
  const stop = new AbortController();
  const started = Promise.withResolvers<void>();
  let failed = false;

  const forceExit = (reason: string): void => {
    log.error({ reason }, 'stopping at once');
    options.onForcedExit?.();
  };
  const grace = closeWithGrace(
    {
      delay: options.graceMs,
      logger: undefined,
      onSecondSignal: (signal) => {
        forceExit(`second ${signal}`);
      },
      onSecondError: (err) => {
        log.fatal({ err }, 'second unexpected error');
        forceExit('second unexpected error');
      },
      onTimeout: () => {
        forceExit('the grace is over');
      },
    },
    async ({ err, signal }) => {
      if (err !== undefined) {
        log.fatal({ err }, 'unexpected error');
      } else if (signal !== undefined) {
        log.info({ signal }, 'stopping');
      }
      stop.abort();
      await started.promise;
      await release(opened, log);
      if (failed) {
        throw new Error('the start failed');
      }
      log.info('stopped');
    },
  );

  try {
    await options.open(opened, stop.signal);
    started.resolve();
  } catch (err) {
    failed = !stop.signal.aborted;
    started.resolve();
    if (failed) {
      tellStartFailure(log, err);
      grace.close();
    }
  }
}

async function release(opened: AsyncDisposableStack, log: Log): Promise<void> {
  try {
    await opened.disposeAsync();
  } catch (err) {
    log.error({ err }, 'something could not be released');
    throw err;
  }
}

function tellStartFailure(log: Log, err: unknown): void {
  if (err instanceof StartError) {
    log.fatal({ reason: err.message }, 'start failed');
    process.stderr.write(`${err.message}\n`);
  } else {
    log.fatal({ err }, 'start failed');
  }
}
