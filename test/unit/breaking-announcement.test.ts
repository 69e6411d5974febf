import { expect, test } from 'vitest';

import { breakingMessage, unannounced } from '../../cli/openapi/announcement.ts';

const run = { operation: 'POST /run', change: 'body.prompt: is required now' };
const runs = { operation: 'POST /runs', change: 'is gone' };
const list = { operation: 'GET /runs/{run_id}', change: 'answer 200.outcome: is gone' };
const changes = [run, runs, list];

const changelog = (...lines: string[]): string =>
  ['# Changelog', '', '## Unreleased', '', ...lines, '', '## 0.1.0', '', '- Older.'].join('\n');

test('changes are announced by a line that begins with "- Breaking:" and names the operation', () => {
  const log = changelog('- A thing.', '- Breaking: `POST /run` needs a prompt.');
  expect(unannounced(changes, log)).toEqual([runs, list]);
});

test('one line may name several operations, also where it goes on', () => {
  const log = changelog('- Breaking: `GET /runs/{run_id}` and', '  `POST /runs`, POST /run.');
  expect(unannounced(changes, log)).toEqual([]);
});

test.each([
  ['no announcement', changelog('- POST /run needs a prompt.')],
  ['another operation', changelog('- Breaking: `GET /run` is gone.')],
  ['a longer path', changelog('- Breaking: `POST /run/all`, `POST /runs` and POST /run-x.')],
  ['an earlier release', `${changelog()}\n- Breaking: \`POST /run\``],
  ['no part for what comes', '# Changelog\n\n## 0.1.0\n\n- Breaking: `POST /run`'],
])('a change stays a surprise with %s', (_name, log) => {
  expect(unannounced([run], log)).toEqual([run]);
});

test('whoever made a breaking change is told which, and how to announce it', () => {
  expect(breakingMessage([run], 'docs/vault-openapi.json')).toBe(
    [
      'This breaks apps that were written for docs/vault-openapi.json:',
      '  POST /run: body.prompt: is required now',
      'Take it back, or announce it: in CHANGELOG.md, under "Unreleased", a line for each operation such as',
      '  - Breaking: `POST /run` ...',
      'Then run: npm run openapi',
    ].join('\n'),
  );
});
