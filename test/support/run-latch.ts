// Holds runs of the fake CLI at a point that a test chooses: those whose prompt has the line `@@wait-for-go`.
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect } from 'vitest';

export const waitForGo = '@@wait-for-go';

/** Waits until so many runs are held; gives their ids. */
export async function untilHeld(runsDir: string, count: number): Promise<string[]> {
  const held = (): string[] =>
    readdirSync(runsDir).filter((runId) => existsSync(join(runsDir, runId, 'work', 'waiting')));
  await expect.poll(() => held().length, { timeout: 15_000 }).toBe(count);
  return held();
}

/** Lets one run go on, or all that are held. */
export function letGo(runsDir: string, runId?: string): void {
  for (const name of runId === undefined ? readdirSync(runsDir) : [runId]) {
    const work = join(runsDir, name, 'work');
    if (existsSync(work)) writeFileSync(join(work, 'go'), '');
  }
}
