// A command that runs until it is told to stop, or until its work is done.
/** Ctrl-C and SIGTERM end it: what was opened is closed, the last one first. */
export async function untilStopped(
  open: (opened: AsyncDisposableStack) => Promise<'done' | 'running'>,
): Promise<void> {
  const opened = new AsyncDisposableStack();
  const stop = Promise.withResolvers<'done'>();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => stop.resolve('done'));
  }
  try {
    if ((await Promise.race([open(opened), stop.promise])) === 'running') await stop.promise;
  } catch (err) {
    process.exitCode = 1;
    process.stderr.write(`${err instanceof Error ? err.message : String(err)}\n`);
  } finally {
    await opened.disposeAsync();
  }
}
