// What the vault stands in: given by main, so that nothing else asks the process.
import type { Clock } from '#shared/clock.ts';
import type { Log } from '#shared/log.ts';

export type Surroundings = { clock: Clock; log: Log };
