import { createLog } from '#shared/log.ts';
import type { Log } from '#shared/log.ts';

export type CapturedLog = {
  log: Log;
  /** What was written, as it was written. */
  written: string[];
  lines: () => Record<string, unknown>[];
};

export function createCapturedLog(): CapturedLog {
  const written: string[] = [];
  const destination = {
    write: (text: string): void => {
      written.push(text);
    },
  };
  return {
    log: createLog({ level: 'debug', service: 'test', destination }),
    written,
    lines: () => written.map((text) => JSON.parse(text) as Record<string, unknown>),
  };
}
