import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { requestErrors } from '#shared/errors.ts';

import { outcomes } from '../../gateway/runs/outcome.ts';

const readme = readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8');
const rows = new Map(
  [...readme.matchAll(/^\| `([a-z_]+)` \| (\d{3}) \| (yes|no) \|/gm)].map(
    ([, code = '', status, retry]) => [
      code,
      { status: Number(status), retryable: retry === 'yes' },
    ],
  ),
);

const { completed: _completed, ...failures } = outcomes;
const codes = Object.entries({ ...requestErrors, ...failures });

test.each(codes)(
  'README says what %s is, with its status and whether a retry helps',
  (code, kind) => {
    expect(rows.get(code)).toEqual({ status: kind.statusCode, retryable: kind.retryable });
  },
);

test('README lists no code that does not exist', () => {
  expect([...rows.keys()].toSorted()).toEqual(codes.map(([code]) => code).toSorted());
});

test('CI runs the test command of the README', () => {
  const [, testCommand] = /Check it .*:\n\n```sh\n(.+)\n```$/m.exec(readme) ?? [];
  const ci = readFileSync(join(import.meta.dirname, '../../.ci/run'), 'utf8');
  expect(ci.split('\n')).toContain(testCommand);
});
