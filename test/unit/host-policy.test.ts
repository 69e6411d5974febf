import { expect, test } from 'vitest';

import { createHostPolicy, isHostName } from '#shared/door/host-policy.ts';

const policy = createHostPolicy('192.168.0.5', ['claude.lan', 'fd00::5']);

test.each([
  'localhost',
  'localhost:8800',
  'LOCALHOST:1',
  '127.0.0.1:8800',
  '127.0.0.2',
  '[::1]',
  '[::1]:8800',
  '[::ffff:127.0.0.1]',
  '192.168.0.5',
  '192.168.0.5:8800',
  'claude.lan',
  'Claude.LAN:443',
  '[fd00:0::5]:8800',
])('answers to the host %s', (host) => {
  expect(policy.allowsHost(host, undefined)).toBe(true);
});

test.each([
  undefined,
  '',
  'evil.example',
  'evil.example:8800',
  '192.168.0.6',
  'localhost.evil.example',
  'evil.localhost',
  'claude.lan.',
  'claude.lan@evil.example',
  'claude.lan/evil',
  'claude.lan, evil.example',
  'localhost:8800:1',
  'localhost:http',
  'localhost:123456',
  '::1',
  '[::1',
  '[localhost]',
  '0x7f.1',
  '2130706433',
])('does not answer to the host %j', (host) => {
  expect(policy.allowsHost(host, '192.168.0.7')).toBe(false);
});

test.each([
  ['http://localhost:8800', true],
  ['https://claude.lan', true],
  ['http://[::1]:5173', true],
  ['http://evil.example', false],
  ['null', false],
  ['', false],
  ['localhost', false],
  ['file://localhost', false],
  ['http://localhost/path', false],
  ['http://localhost@evil.example', false],
  ['http://evil.example#@localhost', false],
  ['http://localhost http://evil.example', false],
])('the origin %j is let in: %s', (origin, expected) => {
  expect(policy.allowsOrigin(origin, undefined)).toBe(expected);
});

test('bound to every address, the address that was connected to is a right name', () => {
  const everywhere = createHostPolicy('0.0.0.0', []);
  expect(everywhere.allowsHost('172.17.0.2:8800', '::ffff:172.17.0.2')).toBe(true);
  expect(everywhere.allowsOrigin('http://172.17.0.2:8800', '172.17.0.2')).toBe(true);
  expect(everywhere.allowsHost('172.17.0.3:8800', '172.17.0.2')).toBe(false);
  expect(everywhere.allowsHost('evil.example', '172.17.0.2')).toBe(false);
  expect(policy.allowsHost('172.17.0.2:8800', '172.17.0.2')).toBe(false);
});

test.each([
  ['claude.lan', true],
  ['nas', true],
  ['my_host', true],
  ['192.168.0.5', true],
  ['fd00::5', true],
  ['claude.lan:8800', false],
  ['http://claude.lan', false],
  ['*.lan', false],
  ['claude..lan', false],
  ['-nas', false],
  ['', false],
])('%j is a host name: %s', (text, expected) => {
  expect(isHostName(text)).toBe(expected);
});
