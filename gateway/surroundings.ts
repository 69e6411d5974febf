// What the gateway stands in: given by main, so that nothing else asks the process.
import type { Clock } from '#shared/clock.ts';
import type { Log } from '#shared/log.ts';

export type Surroundings = {
  projectDir: string;
  /** The PATH in which claude and the sandbox's tools are looked for. */
  path: string;
  isRoot: boolean;
  clock: Clock;
  log: Log;
};
