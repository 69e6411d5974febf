// Addresses behind which Docker may hide who is really calling.
import { existsSync, readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';

export type DockerNetwork = {
  /** We are in a container, and this is the way out of it: what is published through a proxy comes from there. */
  ownGateway: string | null;
  /** Bridges of containers on this machine. */
  bridges: string[];
};

const bridgeName = /^(docker|podman|cni|br-[0-9a-f]{6})/;

export function readDockerNetwork(): DockerNetwork {
  const routes = parseRoutes(read('/proc/net/route'));
  const isContainer = existsSync('/.dockerenv') || existsSync('/run/.containerenv');
  const up = Object.entries(networkInterfaces())
    .filter(([name]) => bridgeName.test(name))
    .flatMap(([, addresses]) => (addresses ?? []).map(({ address }) => address))
    .filter((address) => !address.includes('%'));
  const ownGateway = routes.find(({ network, gateway }) => network === '0.0.0.0' && gateway !== '');
  return {
    ownGateway: isContainer ? (ownGateway?.gateway ?? null) : null,
    bridges: [...new Set([...up, ...bridgesOf(routes)])],
  };
}

export type Route = { device: string; network: string; gateway: string };

/** The kernel's table: hexadecimal, in the byte order of the machine. */
export function parseRoutes(table: string): Route[] {
  return table
    .split('\n')
    .slice(1)
    .map((line) => line.split('\t'))
    .filter((fields) => fields.length > 3)
    .map(([device = '', network = '', gateway = '']) => ({
      device,
      network: dotted(network),
      gateway: /^0+$/.test(gateway) ? '' : dotted(gateway),
    }));
}

/** A bridge without a running container has its route, but shows no address: Docker takes the first one. */
export function bridgesOf(routes: readonly Route[]): string[] {
  return routes
    .filter(({ device, network }) => bridgeName.test(device) && network.endsWith('.0'))
    .map(({ network }) => network.replace(/\.0$/, '.1'));
}

function dotted(hexadecimal: string): string {
  return (hexadecimal.match(/../g) ?? [])
    .toReversed()
    .map((byte) => Number.parseInt(byte, 16))
    .join('.');
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
