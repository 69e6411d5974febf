import { expect, test } from 'vitest';

import { hasTokenInUrl, presentedToken } from '#shared/door/request-credentials.ts';

import { mentionsToken } from '../../gateway/access/token.ts';

test.each([
  ['Bearer abc', 'abc'],
  ['bearer   abc  ', 'abc'],
  ['BEARER\tabc', 'abc'],
  ['Bearer a b', 'a b'],
  ['Bearer é', 'é'],
  [undefined, null],
  ['', null],
  ['Bearer', null],
  ['Bearer ', null],
  ['Bearerabc', null],
  ['Basic YTpi', null],
  ['abc', null],
])('the Authorization %j presents %j', (authorization, expected) => {
  expect(presentedToken(authorization)).toBe(expected);
});

const token = `cf_${'aB-_'.repeat(12)}`;

test.each([
  ['/run', false],
  ['/run?', false],
  ['/run?limit=2&app=cf_my-app', false],
  ['/run?tokens=1', false],
  ['/run?token', true],
  ['/run?token=', true],
  ['/run?a=b&api_key=x', true],
  ['/run?ACCESS_TOKEN=x', true],
  ['/run?k%65y=x', true],
  ['/run?%=1&key=x', true],
  [`/run?x=${token}`, true],
  [`/run?x=${token.replace('_', '%5f')}`, true],
])('%s has a token in it: %s', (url, expected) => {
  expect(hasTokenInUrl(url, {}, mentionsToken)).toBe(expected);
});

function isCounted(referer: string): boolean {
  return hasTokenInUrl('/run', { referer }, mentionsToken);
}

test('a Referer counts only with a token of ours in it', () => {
  expect(isCounted(`http://localhost/?x=${token}`)).toBe(true);
  expect(isCounted('http://localhost/?token=of-another-site')).toBe(false);
});
