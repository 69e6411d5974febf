// One of the services as a process of its own: started again when it dies, with growing pauses, and stopped when it is told to.
import { createInterface } from 'node:readline';

import { execa } from 'execa';

export type Part = {
  /** Resolves with the address that it has told, once it listens; rejects when it ends before that. */
  ready: Promise<string>;
  /** Ends it and starts it again. */
  restart: () => void;
  /** Resolves when it has ended. */
  stop: () => Promise<void>;
};

export type PartOptions = {
  name: string;
  main: string;
  cwd: string;
  env: () => Readonly<Record<string, string>>;
  /** Each line of its log, and what it says to people. */
  onLine: (line: string) => void;
  onSaid: (line: string) => void;
  say: (text: string) => void;
};

const firstPauseMs = 1000;
const maxPauseMs = 60_000;
/** One that ran so long was well. */
const wellAfterMs = 60_000;

export function startPart(options: PartOptions): Part {
  const { name, say } = options;
  const ready = Promise.withResolvers<string>();
  ready.promise.catch(() => {});
  const stopping = new AbortController();
  let pauseMs = firstPauseMs;
  let isAsked = false;
  let wasReady = false;
  const listening = (url: string): void => {
    wasReady = true;
    ready.resolve(url);
  };
  let run = begin(options, listening);

  const keep = async (): Promise<void> => {
    for (;;) {
      const startedAt = performance.now();
      const how = await run.ended;
      if (stopping.signal.aborted) return;
      if (!wasReady && !isAsked) {
        // Whoever starts it gives up.
        ready.reject(new Error(`${name} could not be started (${how})`));
        return;
      }
      if (performance.now() - startedAt > wellAfterMs || isAsked) pauseMs = firstPauseMs;
      if (!isAsked) {
        say(`${name} has ended (${how}); it is started again in ${pauseMs / 1000} s`);
        await sleep(pauseMs, stopping.signal);
        pauseMs = Math.min(maxPauseMs, pauseMs * 2);
      }
      isAsked = false;
      if (stopping.signal.aborted) return;
      run = begin(options, listening);
    }
  };
  const kept = keep();
  return {
    ready: ready.promise,
    restart() {
      isAsked = true;
      run.stop();
    },
    async stop() {
      stopping.abort();
      run.stop();
      await kept;
    },
  };
}

type Run = {
  /** Resolves with how it ended. */
  ended: Promise<string>;
  stop: () => void;
};

function begin(options: PartOptions, listening: (url: string) => void): Run {
  try {
    const child = spawn(options, listening);
    return {
      ended: child.then(({ exitCode, signal }) => signal ?? `exit code ${exitCode}`),
      stop: () => void child.kill('SIGTERM'),
    };
  } catch (err) {
    // What it is given cannot be read, such as a damaged file: that may be mended while the others go on.
    const reason = err instanceof Error ? err.message : String(err);
    return { ended: Promise.resolve(reason), stop: () => {} };
  }
}

function spawn({ main, cwd, env, onLine, onSaid }: PartOptions, listening: (url: string) => void) {
  // It ends with us even when we are killed.
  const child = execa('setpriv', ['--pdeathsig', 'TERM', '--', process.execPath, main], {
    ...{ cwd, env: env(), extendEnv: false, reject: false, buffer: false },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A Ctrl-C is for us: we stop the parts in order.
    detached: true,
    // It has its own time to stop in, and ends whoever does not.
    forceKillAfterDelay: false,
    cleanup: true,
  });
  createInterface({ input: child.stdout }).on('line', (line) => {
    const url = /"url":"([^"]+)".*"msg":"(?:listening|watching)"/.exec(line)?.[1];
    if (url !== undefined) listening(url);
    onLine(line);
  });
  createInterface({ input: child.stderr }).on('line', onSaid);
  return child;
}

async function sleep(ms: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  signal.addEventListener('abort', () => resolve(), { once: true });
  await promise;
  clearTimeout(timer);
}
