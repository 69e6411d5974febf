// What the gateway stands in: given by main, so that nothing else asks the process.
import type { Clock } from '#shared/clock.ts';
import type { Log } from '#shared/log.ts';

import type { Checkpoint } from './checkpoint.ts';

export type Surroundings = {
  projectDir: string;
  /** The PATH in which claude and the sandbox's tools are looked for. */
  path: string;
  isRoot: boolean;
  clock: Clock;
  log: Log;
  /** Free memory in bytes; null where it cannot be told. */
  freeMemoryBytes: () => number | null;
  /** For tests that end the gateway at a certain point. */
  checkpoint: Checkpoint;
};
