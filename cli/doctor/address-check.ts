// Who may connect: whether the lists say what their author meant.
import {
  canonicalAddress,
  cidrPrefixLength,
  createAddressList,
  isLoopback,
} from '#shared/door/cidr.ts';

import type { GatewayConfig } from '../../gateway/config.ts';
import type { DockerNetwork } from './docker-network.ts';
import { fail, pass, warn } from './finding.ts';
import type { Finding } from './finding.ts';

type AddressFacts = Pick<GatewayConfig, 'listen'> & {
  door: Pick<GatewayConfig['door'], 'allowCidrs' | 'trustedProxies'>;
  docker: DockerNetwork;
  /** The variable that says where it listens. */
  hostVariable: string;
};

const wildcards = ['0.0.0.0', '::'];
/** Of its first network, on nearly every machine that has Docker. */
const usualDockerGateway = '172.17.0.1';

export function judgeAddresses(facts: AddressFacts): Finding[] {
  return [
    judgeBind(facts),
    ...judgeAllowList(facts),
    ...judgeDocker(facts),
    ...judgeProxies(facts),
  ];
}

function judgeBind({ listen, docker, hostVariable }: AddressFacts): Finding {
  const seen = `${listen.host} port ${listen.port}`;
  if (!wildcards.includes(listen.host)) return pass('listens on', seen);
  if (docker.ownGateway !== null) {
    return pass('listens on', `${seen}, inside a container: what is published decides`);
  }
  return warn(
    'listens on',
    `${seen}: every address of this machine, also ones that it gets later`,
    `set ${hostVariable} to its address on your own network`,
  );
}

function judgeAllowList({ listen, door, hostVariable }: AddressFacts): Finding[] {
  const name = 'ALLOW_CIDRS';
  const isLocal = listensLocally(listen.host);
  if (door.allowCidrs.length === 0) {
    return isLocal
      ? [pass(name, 'unset: this machine only')]
      : [
          warn(
            name,
            'unset: only this machine may connect, although it listens for others',
            'set ALLOW_CIDRS to the addresses of your apps, such as 192.168.0.0/24',
          ),
        ];
  }
  const everybody = door.allowCidrs.filter((cidr) => cidrPrefixLength(cidr) === 0);
  if (everybody.length > 0) {
    return [
      warn(
        name,
        `${everybody.join(', ')}: everybody who reaches the port may try tokens`,
        'name your own networks instead',
      ),
    ];
  }
  if (isLocal && door.trustedProxies.length === 0) {
    return [
      warn(
        name,
        `${door.allowCidrs.join(', ')}, but it listens on ${listen.host}, where only this machine connects`,
        `set ${hostVariable} to an address of your network, or TRUSTED_PROXIES when a proxy stands in front`,
      ),
    ];
  }
  return [pass(name, door.allowCidrs.join(', '))];
}

function judgeDocker({ door, docker }: AddressFacts): Finding[] {
  const { ownGateway, bridges } = docker;
  const suspects = [...new Set([...bridges, usualDockerGateway, ownGateway ?? usualDockerGateway])];
  const found = suspects.flatMap((address) =>
    door.allowCidrs
      .filter((cidr) => createAddressList([cidr]).includes(address))
      .map((cidr) => ({ address, cidr })),
  );
  // One finding per address is enough.
  const first = found.filter(
    (each, index) => found.findIndex(({ address }) => address === each.address) === index,
  );
  return first.map(({ address, cidr }) => judgeDockerAddress(address, cidr, ownGateway));
}

/** Naming it alone is a decision; having it swallowed by a wider network is an accident. */
function judgeDockerAddress(address: string, cidr: string, ownGateway: string | null): Finding {
  const name = 'Docker and ALLOW_CIDRS';
  const isNamed = canonicalAddress(cidr.split('/')[0] ?? '') === address && isSingle(cidr);
  if (address !== ownGateway) {
    return warn(
      name,
      `${address}, a Docker gateway address, is allowed by ${cidr}: containers of this machine and what Docker's proxy forwards come in`,
      'leave Docker networks out of ALLOW_CIDRS, unless your apps are those containers',
    );
  }
  const seen = `${address}, this container's gateway, is allowed by ${cidr}: a client that Docker's proxy forwards, such as one over IPv6, comes as it, whoever it is`;
  return isNamed
    ? warn(name, seen, 'publish the port on one IPv4 address only (GATEWAY_LAN_IP), never on all')
    : fail(
        name,
        seen,
        `narrow ${cidr} down to the addresses of your apps, or give the container another subnet`,
      );
}

function judgeProxies({ listen, door }: AddressFacts): Finding[] {
  const name = 'TRUSTED_PROXIES';
  const { trustedProxies } = door;
  if (trustedProxies.length === 0) return [pass(name, 'none: X-Forwarded-For is never believed')];
  const wide = trustedProxies.filter((cidr) => isWide(cidr));
  if (wide.length > 0) {
    return [
      warn(
        name,
        `${wide.join(', ')}: every machine in it may claim to be any address`,
        'name the one address of your proxy',
      ),
    ];
  }
  const isReachable = trustedProxies.some((cidr) => isLoopback(cidr.split('/')[0] ?? ''));
  if (listensLocally(listen.host) && !isReachable) {
    return [
      warn(
        name,
        `${trustedProxies.join(', ')}, which cannot connect: it listens on ${listen.host}`,
        'take TRUSTED_PROXIES away, or name 127.0.0.1 when the proxy runs on this machine',
      ),
    ];
  }
  return [pass(name, trustedProxies.join(', '))];
}

function listensLocally(host: string): boolean {
  return host === 'localhost' || isLoopback(host);
}

function isSingle(cidr: string): boolean {
  return cidrPrefixLength(cidr) === (isIPv6(cidr) ? 128 : 32);
}

/** More than a handful of addresses of others. */
function isWide(cidr: string): boolean {
  const isOurs = isLoopback(cidr.split('/')[0] ?? '');
  return !isOurs && (cidrPrefixLength(cidr) ?? 0) < (isIPv6(cidr) ? 124 : 28);
}

function isIPv6(cidr: string): boolean {
  return canonicalAddress(cidr.split('/')[0] ?? '')?.includes(':') === true;
}
