import { expect, test } from 'vitest';

import { parseClaudeLine } from '../../gateway/claude/claude-events.ts';
import { reasonNotToRetry } from '../../gateway/runs/retry-limit.ts';

function reasonAfter(fields: Record<string, unknown>): unknown {
  const event = parseClaudeLine(
    JSON.stringify({ type: 'system', subtype: 'api_retry', error: 'x', ...fields }),
  );
  if (event.type !== 'retry') throw new Error(`not a retry: ${event.type}`);
  return reasonNotToRetry(event);
}

test.each<[name: string, status: number | null, delayMs: number, attempt: number, unknown]>([
  ['a short wait', 429, 512, 1, null],
  ['the last try the CLI may make', 529, 10_000, 2, null],
  ['a long wait for a limit', 429, 10_001, 1, 'rate_limited'],
  ['a long wait for an overload', 529, 40_000, 1, 'overloaded'],
  ['a long wait for something else', 503, 40_000, 1, 'upstream_error'],
  ['a long wait for a connection', null, 40_000, 1, 'upstream_error'],
  ['a try beyond the last, for a limit', 429, 2400, 3, 'rate_limited'],
  ['a try beyond the last, for an overload', 529, 2400, 3, 'overloaded'],
])('%s', (_name, status, delayMs, attempt, reason) => {
  const times = { attempt, max_retries: 2, retry_delay_ms: delayMs };
  expect(reasonAfter({ error_status: status, ...times })).toBe(reason);
});

test('a retry that does not count itself is judged by its wait alone', () => {
  expect(reasonAfter({ error_status: 529, retry_delay_ms: 500 })).toBe(null);
});
