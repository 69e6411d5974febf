import { describe, expect, test } from 'vitest';

import { canonicalAddress, createAddressList, isCidr, isLoopback } from '#shared/door/cidr.ts';

describe('AA-05: the list 192.168.1.0/24', () => {
  const list = createAddressList(['192.168.1.0/24']);

  test.each(['192.168.1.5', '::ffff:192.168.1.5', '::ffff:c0a8:105'])('has %s', (address) => {
    expect(list.includes(address)).toBe(true);
  });

  test.each([
    '::ffff:10.0.0.1',
    '::1',
    'fe80::1%eth0',
    '192.168.1',
    '0300.0250.1.5',
    '',
    'localhost',
    '192.168.1.5 ',
    '192.168.001.5',
    '0xc0.0xa8.1.5',
    '3232235781',
    '::192.168.1.5',
    '192.168.1.5/32',
    '192.168.1.5\0',
  ])('has not %j', (address) => {
    expect(list.includes(address)).toBe(false);
  });
});

test.each([
  '192.168.1.0/0x18',
  '10.0.0.0/ 24',
  '10.0.0.0 /24',
  ' 10.0.0.0/24',
  '192.168.1',
  '192.168.1/24',
  '0300.0250.1.0/24',
  '010.0.0.0/8',
  '10.0.0.0/33',
  '10.0.0.0/08',
  '10.0.0.0/-1',
  '10.0.0.0/+8',
  '10.0.0.0/8.0',
  '10.0.0.0/',
  '10.0.0.0/8/8',
  '10.0.0.0/255.0.0.0',
  'fe80::1%eth0',
  'fe80::1%eth0/64',
  '::/129',
  '::ffff:10.0.0.0/95',
  '/8',
  '',
  '*',
  'example.org',
])('%j is no CIDR', (text) => {
  expect(isCidr(text)).toBe(false);
  expect(() => createAddressList([text])).toThrow(JSON.stringify(text));
});

test.each([
  ['10.1.2.3', '10.1.2.3', true],
  ['10.1.2.3', '10.1.2.4', false],
  ['10.1.2.3/8', '10.200.0.1', true],
  ['0.0.0.0/0', '8.8.8.8', true],
  ['0.0.0.0/0', '::ffff:8.8.8.8', true],
  ['0.0.0.0/0', 'fd00::1', false],
  ['::/0', 'fd00::1', true],
  ['::/0', '10.0.0.1', false],
  ['fd00::/8', 'FD00:0:0::1', true],
  ['fd00::1', 'fd00::2', false],
  ['::ffff:10.0.0.0/104', '10.9.9.9', true],
  ['::ffff:10.0.0.0/104', '11.0.0.1', false],
  ['::ffff:10.0.0.7', '10.0.0.7', true],
])('the list %s and the address %s: %s', (cidr, address, expected) => {
  expect(createAddressList([cidr]).includes(address)).toBe(expected);
});

test('an empty list has nobody', () => {
  expect(createAddressList([]).includes('127.0.0.1')).toBe(false);
});

test.each([
  ['::ffff:127.0.0.1', '127.0.0.1'],
  ['::FFFF:7f00:1', '127.0.0.1'],
  ['FD00:0000::0001', 'fd00::1'],
  ['10.0.0.1', '10.0.0.1'],
  ['10.0.0', null],
  ['fe80::1%eth0', null],
])('the canonical form of %s is %s', (text, expected) => {
  expect(canonicalAddress(text)).toBe(expected);
});

test.each([
  ['127.0.0.1', true],
  ['127.9.9.9', true],
  ['::1', true],
  ['::ffff:127.0.0.1', true],
  ['128.0.0.1', false],
  ['localhost', false],
])('%s is loopback: %s', (address, expected) => {
  expect(isLoopback(address)).toBe(expected);
});
