import { expect, test } from 'vitest';

import { holdsSecret } from '#shared/log.ts';

import { createCapturedLog } from '../support/captured-log.ts';

const nasty = 'a\r\nb\u001b[2J\u009b31m\u007f"} {"level":"fatal"}\u2028\u2029\u202e\0\uD800 👩‍👩‍👧';

test('hostile text stays inside one valid JSON line that drives no terminal', () => {
  const { log, written, lines } = createCapturedLog();
  log.info({ userAgent: nasty, nested: { [nasty]: nasty } }, nasty);
  expect(written).toHaveLength(1);
  const line = written[0] ?? '';
  expect(line.endsWith('}\n')).toBe(true);
  // oxlint-disable-next-line no-control-regex -- control characters are what must not be there
  expect(line.slice(0, -1)).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028-\u202e]/);
  expect(lines()[0]).toMatchObject({ level: 'info', userAgent: nasty, msg: nasty });
});

test('a hostile error message and stack stay inside one line', () => {
  const { log, written, lines } = createCapturedLog();
  log.error({ err: new Error(nasty, { cause: new Error(nasty) }) }, 'request failed');
  expect(
    written
      .join('')
      .trimEnd()
      .split(/[\r\n\u2028\u2029]/),
  ).toHaveLength(1);
  expect(lines()[0]).toMatchObject({ msg: 'request failed', err: { type: 'Error' } });
});

test('secrets are not written, by key or by shape', () => {
  const { log, written } = createCapturedLog();
  const token = `cf_${'a'.repeat(45)}`;
  log.info({ token, headers: { authorization: `Bearer ${token}` }, path: `/x?y=${token}` }, 'a');
  log.error({ err: new Error(`bad ${token} and sk-ant-api03-${'b'.repeat(20)}`) }, 'b');
  log.info({ body: { secret: 'hush-hush', a: { apiKey: 'hush-hush' } } }, `Bearer hush-hush`);
  expect(written.join('')).not.toMatch(/aaaaaaaa|bbbbbbbb|hush-hush/);
  expect(written.join('')).toContain('[redacted]');
});

const body = 'aaaa-bbbb_cccc'.repeat(4);
const jwt = `eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.${body}`;

test.each([
  `cf_${body}`,
  `cfadmin_${body}`,
  `cv_prod_${body}`,
  `cv_dev_${body}`,
  `cvr_${body}`,
  `cvl_${body}`,
  `sk-ant-api03-${body}`,
  jwt,
  jwt.replace(body, ''),
])('%s is not written, wherever it stands', (secret) => {
  const { log, written } = createCapturedLog();
  const texts = [
    secret,
    `/join/${secret}?x`,
    `a=${secret};b`,
    `"${secret}"`,
    `line\n${secret}`,
    `tab\t${secret}`,
    `bell\u0007${secret}`,
    `?next=%2Fjoin%2F${secret}`,
    JSON.stringify({ text: `line\n${secret}` }),
  ];
  for (const text of texts) {
    expect(holdsSecret(text)).toBe(true);
    log.info({ text }, text);
  }
  expect(written).toHaveLength(texts.length);
  expect(written.join('')).not.toMatch(/aaaa-bbbb|eyJzdWI/);
});

test.each([
  'the vault prefixes cv_prod_ and cvr_',
  'perf_measurements',
  'eyJ.eyJ.x',
  'eyJhbGciOiJSUzI1NiJ9',
  'see www.example.com/a.b.c',
  'conversation cv_production',
])('%j is no secret', (text) => {
  expect(holdsSecret(text)).toBe(false);
});

test('a hostile text of a megabyte is searched in no time', () => {
  for (const text of ['-eyJaaaaaaaa', 'eyJaaaaaaaa.', 'cv_prod_-', '-bearer ', '%2FeyJa']) {
    const startedAt = performance.now();
    holdsSecret(text.repeat(2 ** 20 / text.length));
    expect(performance.now() - startedAt).toBeLessThan(1000);
  }
});

test('a line says when, how bad and of which service', () => {
  const { log, lines } = createCapturedLog();
  log.warn('careful');
  expect(lines()[0]).toEqual({
    level: 'warn',
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
    service: 'test',
    msg: 'careful',
  });
});
