import { describe, expect, test } from 'vitest';

import type { ClaudeResult } from '../../gateway/claude/claude-events.ts';
import { emptyTranscript } from '../../gateway/claude/transcript.ts';
import type { Transcript } from '../../gateway/claude/transcript.ts';
import { outcomes } from '../../gateway/runs/outcome.ts';
import type { Outcome } from '../../gateway/runs/outcome.ts';
import { decideVerdict } from '../../gateway/runs/verdict.ts';
import type { Evidence, StopReason } from '../../gateway/runs/verdict.ts';

const now = Date.parse('2026-01-01T00:00:00Z');
const good: ClaudeResult = {
  ...{ subtype: 'success', is_error: false, result: 'Hello.', stop_reason: 'end_turn' },
  ...{ terminal_reason: 'completed', api_error_status: null },
};
const apiError: ClaudeResult = {
  ...{ subtype: 'success', is_error: true, result: 'API Error', stop_reason: 'stop_sequence' },
  terminal_reason: 'api_error',
};

type Seen = Partial<Omit<Evidence, 'transcript'>> & {
  result?: ClaudeResult;
  said?: Partial<Transcript>;
};

function evidence({ result, said, ...rest }: Seen): Evidence {
  const transcript = {
    ...emptyTranscript(),
    ...(result ? { result, resultCount: 1 } : {}),
    ...said,
  };
  return {
    transcript,
    ...{ exitCode: 0, signal: null, startFailureCode: null, stopped: null },
    ...{
      endedAfterResult: false,
      outOfMemory: false,
      wasSilent: false,
      cutOff: false,
      stderrTail: '',
    },
    ...{ wantsSchema: false, ...rest },
  };
}

/** What the CLI ends with when the API, or it itself, fails. */
function failed(
  status: number | null,
  failure: string | null,
  more: Partial<ClaudeResult> = {},
): Seen {
  return {
    result: { ...apiError, api_error_status: status, ...more },
    said: { failure },
    exitCode: 1,
  };
}

const killed = { exitCode: null, signal: 'SIGKILL' };
const schemaRefused = { refusedControl: { requestId: 'initialize', error: 'x' } };
const noFile = 'No such file or directory';

/** What was seen with CLI 2.1.329. */
const table: [seen: string, Seen, Outcome][] = [
  ['an answer', { result: good }, 'completed'],
  [
    'an answer in messages only',
    { result: { ...good, result: '' }, said: { text: 'Hi' } },
    'completed',
  ],
  ['an answer, then our kill', { result: good, endedAfterResult: true, ...killed }, 'completed'],
  ['an answer, then exit 1', { result: good, exitCode: 1 }, 'crashed'],
  ['an answer, then death by a signal', { result: good, ...killed }, 'crashed'],
  [
    'structure',
    { result: { ...good, structured_output: { a: 1 } }, wantsSchema: true },
    'completed',
  ],
  ['prose for a schema', { result: good, wantsSchema: true }, 'schema_invalid'],
  ['a list', { result: { ...good, structured_output: [1] }, wantsSchema: true }, 'schema_invalid'],
  [
    'too many tries',
    failed(null, null, { subtype: 'error_max_structured_output_retries' }),
    'schema_invalid',
  ],
  ['a refused schema', { wantsSchema: true, exitCode: 1, said: schemaRefused }, 'schema_invalid'],
  ['nothing said', { result: { ...good, result: '' } }, 'empty'],
  ['white space said', { result: { ...good, result: ' \n' } }, 'empty'],
  ['no line at all, exit 0', { wasSilent: true }, 'crashed'],
  ['no result, exit 0', {}, 'crashed'],
  ['no result, exit 1', { exitCode: 1 }, 'crashed'],
  ['no result, killed', killed, 'crashed'],
  ['no result, killed by the kernel', { ...killed, outOfMemory: true }, 'crashed'],
  ['half a line', { cutOff: true }, 'crashed'],
  ['garbage only', { said: { garbageLines: 3 } }, 'crashed'],
  ['an error said with exit 0', { ...failed(500, 'server_error'), exitCode: 0 }, 'upstream_error'],
  ['an error of execution', failed(null, null, { subtype: 'error_during_execution' }), 'crashed'],
  ['a subtype of tomorrow', { result: { ...good, subtype: 'something_new' } }, 'upstream_error'],
  ['too many turns', failed(null, null, { subtype: 'error_max_turns' }), 'max_turns'],
  ['a budget used up', failed(null, null, { subtype: 'error_max_budget_usd' }), 'budget'],
  ['a refusal, an error', failed(null, 'invalid_request', { stop_reason: 'refusal' }), 'refused'],
  ['a refusal, a success', { result: { ...good, stop_reason: 'refusal' } }, 'refused'],
  ['400', failed(400, 'unknown'), 'upstream_error'],
  ['400 of an empty purse', failed(400, 'billing_error'), 'billing'],
  [
    '400 of a long prompt',
    failed(400, 'invalid_request', { terminal_reason: 'prompt_too_long' }),
    'prompt_too_long',
  ],
  [
    'a prompt too long to send',
    failed(null, 'invalid_request', { terminal_reason: 'blocking_limit' }),
    'prompt_too_long',
  ],
  ['401', failed(401, 'authentication_failed'), 'auth'],
  ['401 without a word of the CLI', failed(401, null), 'auth'],
  ['403', failed(403, 'oauth_org_not_allowed'), 'auth'],
  ['no login', failed(null, 'authentication_failed'), 'auth'],
  ['404', failed(404, 'model_not_found'), 'model_unavailable'],
  ['413', failed(413, 'invalid_request', { terminal_reason: 'image_error' }), 'prompt_too_long'],
  ['429', failed(429, 'rate_limit'), 'rate_limited'],
  [
    'a used-up window',
    failed(429, 'rate_limit', { api_error: 'usage_limit_reached' }),
    'rate_limited',
  ],
  ['500', failed(500, 'server_error'), 'upstream_error'],
  ['503', failed(503, 'server_error'), 'upstream_error'],
  ['529', failed(529, 'server_error'), 'overloaded'],
  ['an error event in the stream', failed(529, 'unknown'), 'overloaded'],
  [
    'nobody listening',
    failed(null, 'server_error', { api_error: 'connection_failed' }),
    'upstream_error',
  ],
  [
    'too much written',
    failed(null, 'max_output_tokens', { api_error: 'max_output_tokens' }),
    'max_output_tokens',
  ],
  ['no process', { startFailureCode: 'EAGAIN', exitCode: null, wasSilent: true }, 'spawn_failed'],
  ['no sandbox', silent('bwrap: No permissions to create new namespace'), 'spawn_failed'],
  ['no file to bind', silent(`bwrap: Can't find source path /x/claude: ${noFile}`), 'cli_missing'],
  ['no file to execute', silent(`choom: failed to execute /x/claude: ${noFile}`), 'cli_missing'],
];

function silent(said: string): Seen {
  return { wasSilent: true, exitCode: 1, stderrTail: `${said}\n` };
}

test.each(table)('%s', (_seen, seen, outcome) => {
  expect(decideVerdict(evidence(seen), now).outcome).toBe(outcome);
});

test.each([
  ["API Error: Can't reach the API server (ENOTFOUND)", /cannot be reached .*\(ENOTFOUND\)/],
  ['API Error: Connection refused (ECONNREFUSED)', /cannot be reached .*\(ECONNREFUSED\)/],
  ['API Error: Connection lost mid-response', /^The connection to the API broke off\.$/],
])('of a connection that failed it is said how: %s', (said, message) => {
  const seen = failed(null, 'server_error', { api_error: 'connection_failed', result: said });
  expect(decideVerdict(evidence(seen), now)).toMatchObject({
    outcome: 'upstream_error',
    message: expect.stringMatching(message),
  });
});

const stops: StopReason[] = [
  ...(['timeout_start', 'timeout_idle', 'timeout_total', 'output_too_large'] as const),
  ...(['rate_limited', 'disk_full', 'client_gone', 'cancelled', 'interrupted'] as const),
  ...(['overloaded', 'upstream_error'] as const),
];

test.each(stops)(
  '%s is the outcome when we ended the run for it, whatever came after',
  (stopped) => {
    const result = { ...apiError, subtype: 'error_during_execution' };
    for (const seen of [{}, { result: good }, { result, exitCode: 143 }, { cutOff: true }]) {
      expect(decideVerdict(evidence({ ...seen, stopped }), now).outcome).toBe(stopped);
    }
  },
);

test('every outcome of the contract can be reached', () => {
  const seen = new Set<string>([...table.map(([, , outcome]) => outcome), ...stops]);
  expect(Object.keys(outcomes).filter((outcome) => !seen.has(outcome))).toEqual([]);
});

test('no stderr of a run that has spoken is taken for one of its launcher', () => {
  const stderrTail = 'bwrap: execvp claude: No such file or directory\n';
  expect(decideVerdict(evidence({ stderrTail, exitCode: 1 }), now).outcome).toBe('crashed');
});

test.each<[string, Seen]>([
  ['before it answered', { exitCode: 137 }],
  ['in the middle of a line', { ...killed, cutOff: true }],
  ['before it said a word', { exitCode: 137, wasSilent: true }],
  ['after its answer', { result: good, ...killed }],
])('a run that the kernel killed for memory %s is told as that', (_when, seen) => {
  expect(decideVerdict(evidence({ ...seen, outOfMemory: true }), now)).toEqual({
    outcome: 'crashed',
    message: 'The kernel ended Claude because the memory of the gateway ran out.',
  });
});

describe('the wait before a retry', () => {
  const limited = { result: { ...apiError, api_error_status: 429 }, exitCode: 1 };
  test.each<[name: string, Seen, secs: number | undefined]>([
    ['of a window', { ...limited, said: { limitResetsAt: now + 90_500 } }, 91],
    ['of a window that is open again', { ...limited, said: { limitResetsAt: now - 5000 } }, 1],
    ['that the API asked for', { ...limited, said: { lastRetryDelayMs: 30_112 } }, 31],
    [
      'that the API asked for, when we ended the run for it',
      { stopped: 'rate_limited', said: { lastRetryDelayMs: 120_000 } },
      120,
    ],
    [
      'of a window rather than of a try',
      { ...limited, said: { limitResetsAt: now + 90_000, lastRetryDelayMs: 500 } },
      90,
    ],
    ['of a limit that says nothing', limited, 60],
    ['of an overloaded API', { result: { ...apiError, api_error_status: 529 } }, 30],
    ['of a process that could not start', { startFailureCode: 'EAGAIN' }, 5],
    ['of a gateway that stops', { stopped: 'interrupted' }, 5],
    ['of a credential is not known', { result: { ...apiError, api_error_status: 401 } }, undefined],
  ])('%s', (_name, seen, secs) => {
    const verdict = decideVerdict(evidence(seen), now);
    expect('retryAfterSecs' in verdict ? verdict.retryAfterSecs : undefined).toBe(secs);
  });
});

test('no message repeats what the CLI or the model said', () => {
  const secret = 'a-secret-word';
  const said = { text: secret, failure: secret, refusedControl: { requestId: 'x', error: secret } };
  for (const [, seen] of table) {
    const told = {
      ...seen,
      said: { ...said, ...seen.said },
      stderrTail: `${seen.stderrTail ?? ''}${secret}`,
    };
    expect(JSON.stringify(decideVerdict(evidence(told), now))).not.toContain(secret);
  }
});
