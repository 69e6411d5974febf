import { expect, test } from 'vitest';

import { judgeAddresses } from '../../cli/doctor/address-check.ts';
import { bridgesOf, parseRoutes } from '../../cli/doctor/docker-network.ts';
import type { DockerNetwork } from '../../cli/doctor/docker-network.ts';

const host: DockerNetwork = { ownGateway: null, bridges: [] };
const container: DockerNetwork = { ownGateway: '10.214.88.1', bridges: [] };

type Door = Parameters<typeof judgeAddresses>[0]['door'];

function addresses(listen: string, door: Partial<Door>, docker = host): string[] {
  const lists = { allowCidrs: [], allowedHosts: [], trustedProxies: [], metricsCidrs: [] };
  const whole = { ...lists, allowWildcardBind: true };
  const places = { listen: { host: listen, port: 8800 }, hostVariable: 'GATEWAY_HOST' };
  const facts = { ...places, door: { ...whole, ...door }, docker };
  return judgeAddresses(facts)
    .filter(({ status }) => status !== 'pass')
    .map(({ status, name }) => `${status} ${name}`);
}

const lan = ['192.168.0.0/24'];
const docker0 = { ownGateway: null, bridges: ['172.18.0.1'] };

test.each<[string, string, Partial<Door>, DockerNetwork, string[]]>([
  ['the default', '127.0.0.1', {}, host, []],
  ['a network', '192.168.0.5', { allowCidrs: lan }, host, []],
  ['a wildcard on a host', '0.0.0.0', { allowCidrs: lan }, host, ['warn listens on']],
  ['a wildcard of IPv6', '::', { allowCidrs: lan }, host, ['warn listens on']],
  ['a wildcard in a container', '0.0.0.0', { allowCidrs: lan }, container, []],
  ['a list forgotten', '192.168.0.5', {}, host, ['warn ALLOW_CIDRS']],
  ['a list without effect', '127.0.0.1', { allowCidrs: lan }, host, ['warn ALLOW_CIDRS']],
  [
    'a list behind a proxy',
    '127.0.0.1',
    { allowCidrs: lan, trustedProxies: ['127.0.0.1'] },
    host,
    [],
  ],
  [
    'everybody',
    '192.168.0.5',
    { allowCidrs: ['0.0.0.0/0'] },
    host,
    ['warn ALLOW_CIDRS', 'warn Docker and ALLOW_CIDRS'],
  ],
  ['everybody of IPv6', '192.168.0.5', { allowCidrs: ['::/0'] }, host, ['warn ALLOW_CIDRS']],
  [
    'the usual bridge',
    '192.168.0.5',
    { allowCidrs: ['172.17.0.1'] },
    host,
    ['warn Docker and ALLOW_CIDRS'],
  ],
  [
    'a bridge of this host',
    '192.168.0.5',
    { allowCidrs: ['172.18.0.0/16'] },
    docker0,
    ['warn Docker and ALLOW_CIDRS'],
  ],
  [
    'both bridges',
    '192.168.0.5',
    { allowCidrs: ['172.16.0.0/12', '172.18.0.1'] },
    docker0,
    ['warn Docker and ALLOW_CIDRS', 'warn Docker and ALLOW_CIDRS'],
  ],
  [
    "the container's gateway by accident",
    '0.0.0.0',
    { allowCidrs: ['10.0.0.0/8'] },
    container,
    ['fail Docker and ALLOW_CIDRS'],
  ],
  [
    "the container's gateway by name",
    '0.0.0.0',
    { allowCidrs: ['10.214.88.1'] },
    container,
    ['warn Docker and ALLOW_CIDRS'],
  ],
  [
    'a whole network of proxies',
    '192.168.0.5',
    { allowCidrs: lan, trustedProxies: lan },
    host,
    ['warn TRUSTED_PROXIES'],
  ],
  [
    'a proxy that cannot reach it',
    '127.0.0.1',
    { trustedProxies: ['192.168.0.9'] },
    host,
    ['warn TRUSTED_PROXIES'],
  ],
  [
    'a proxy elsewhere',
    '192.168.0.5',
    { allowCidrs: lan, trustedProxies: ['192.168.0.9'] },
    host,
    [],
  ],
])('addresses: %s', (_what, listen, door, docker, complaints) => {
  expect(addresses(listen, door, docker)).toEqual(complaints);
});

test('bridges are found in the table of routes, also those that are down', () => {
  const table = [
    'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT',
    'eth0\t00000000\t0100A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0',
    'docker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0',
    'br-0123456789ab\t000012AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0',
    '',
  ].join('\n');
  const routes = parseRoutes(table);
  expect(routes[0]).toEqual({ device: 'eth0', network: '0.0.0.0', gateway: '192.168.0.1' });
  expect(bridgesOf(routes)).toEqual(['172.17.0.1', '172.18.0.1']);
  expect(parseRoutes('')).toEqual([]);
});
