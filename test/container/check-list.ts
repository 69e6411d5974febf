// What was looked at and how it was, a line each.
import { setTimeout as sleep } from 'node:timers/promises';

import { compose } from './compose.ts';

let failures = 0;

export function failureCount(): number {
  return failures;
}

export async function check(
  name: string,
  look: () => Promise<unknown>,
  wanted: unknown,
): Promise<void> {
  const seen = await look().catch((err: unknown) => String(err));
  const ok = JSON.stringify(seen) === JSON.stringify(wanted);
  if (!ok) failures += 1;
  const difference = ok ? '' : `: ${JSON.stringify(seen)} instead of ${JSON.stringify(wanted)}`;
  say(`${ok ? 'ok    ' : 'FAILED'} ${name}${difference}`);
}

export function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

export async function eventually<T>(what: string, look: () => Promise<T | null>): Promise<T> {
  for (let tries = 0; tries < 450; tries += 1) {
    const seen = await look().catch(() => null);
    if (seen !== null) return seen;
    await sleep(200);
  }
  throw new Error(`waited in vain for ${what}\n${await compose(['logs', '--tail', '30'])}`);
}
