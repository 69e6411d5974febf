import { describe, expect, test } from 'vitest';

import { createAddressList } from '#shared/door/cidr.ts';
import { clientAddress } from '#shared/door/client-address.ts';

const nobody = createAddressList([]);
const proxies = createAddressList(['10.0.0.0/24', '127.0.0.1']);

test('without a trusted proxy the socket address decides, whatever is forwarded', () => {
  expect(clientAddress('10.0.0.5', '192.168.1.5', nobody)?.address).toBe('10.0.0.5');
  expect(clientAddress('10.0.0.5', 'garbage', nobody)?.address).toBe('10.0.0.5');
  expect(clientAddress('10.0.1.5', '192.168.1.5', proxies)?.address).toBe('10.0.1.5');
});

test('an IPv4-mapped socket address is IPv4', () => {
  expect(clientAddress('::ffff:192.168.1.5', undefined, nobody)?.address).toBe('192.168.1.5');
});

test.each([undefined, '', 'fe80::1%eth0'])('the socket address %j is refused', (peer) => {
  expect(clientAddress(peer, undefined, nobody)).toBeNull();
});

describe('behind a trusted proxy', () => {
  test.each([
    ['192.168.1.5', '192.168.1.5'],
    ['1.2.3.4, 192.168.1.5', '192.168.1.5'],
    ['127.0.0.1, 192.168.1.5', '192.168.1.5'],
    ['nonsense, 192.168.1.5', '192.168.1.5'],
    ['192.168.1.5, 10.0.0.9', '192.168.1.5'],
    ['6.6.6.6, 192.168.1.5 ,10.0.0.9,10.0.0.8', '192.168.1.5'],
    ['10.0.0.9, 10.0.0.8', '10.0.0.9'],
    ['::ffff:c0a8:105', '192.168.1.5'],
  ])('%s means %s', (forwardedFor, expected) => {
    expect(clientAddress('::ffff:10.0.0.1', forwardedFor, proxies)?.address).toBe(expected);
  });

  test.each([
    '',
    ',',
    '192.168.1.5,',
    '192.168.1',
    '0300.0250.1.5',
    'fe80::1%eth0',
    'unknown',
    '192.168.1.5:1234',
    '[::1]',
    '192.168.1.5 10.0.0.9',
    '192.168.1.5, nonsense, 10.0.0.9',
  ])('%j is refused', (forwardedFor) => {
    expect(clientAddress('10.0.0.1', forwardedFor, proxies)).toBeNull();
  });

  test('without the header the proxy itself is the client', () => {
    expect(clientAddress('10.0.0.1', undefined, proxies)?.address).toBe('10.0.0.1');
  });
});

test.each([
  ['127.0.0.1', undefined, true],
  ['::1', undefined, true],
  ['127.0.0.1', '127.0.0.1', true],
  ['127.0.0.1', '192.168.1.5', false],
  ['10.0.0.1', '127.0.0.1', false],
  ['10.0.0.1', '::1', false],
  ['10.0.0.1', undefined, false],
])('the peer %s forwarding for %s is on this machine: %s', (peer, forwardedFor, expected) => {
  expect(clientAddress(peer, forwardedFor, proxies)?.isLocal).toBe(expected);
});
