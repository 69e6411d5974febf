// Which names a request may call us by: the answer to DNS rebinding.
import { canonicalAddress, isLoopback } from './cidr.ts';

export type HostPolicy = {
  /** `localAddress` is the connection's own address, which counts when we are bound to all of them. */
  allowsHost(host: string | undefined, localAddress: string | undefined): boolean;
  allowsOrigin(origin: string, localAddress: string | undefined): boolean;
};

const wildcardAddresses = new Set(['0.0.0.0', '::']);

export function isWildcardAddress(address: string): boolean {
  return wildcardAddresses.has(canonicalAddress(address) ?? '');
}

/** A DNS name or an address, without scheme or port. */
export function isHostName(text: string): boolean {
  if (canonicalAddress(text) !== null) return true;
  const labels = text.split('.');
  return (
    text.length <= 253 &&
    labels.every((label) => /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/i.test(label))
  );
}

export function createHostPolicy(listenHost: string, allowedHosts: readonly string[]): HostPolicy {
  const names = new Set([
    'localhost',
    canonicalName(listenHost),
    ...allowedHosts.map(canonicalName),
  ]);
  const boundToAll = isWildcardAddress(listenHost);

  function allowsName(name: string | null, localAddress: string | undefined): boolean {
    if (name === null) return false;
    if (names.has(name) || isLoopback(name)) return true;
    return boundToAll && localAddress !== undefined && name === canonicalAddress(localAddress);
  }

  return {
    allowsHost: (host, localAddress) => allowsName(nameOfHost(host ?? ''), localAddress),
    allowsOrigin: (origin, localAddress) => {
      const host = /^https?:\/\/(?<host>[^/?#\\@]+)$/i.exec(origin)?.groups?.['host'];
      return allowsName(nameOfHost(host ?? ''), localAddress);
    },
  };
}

// Ports are not compared: a forwarded port differs, and rebinding is about the name.
function nameOfHost(host: string): string | null {
  const parts = /^(?:\[(?<v6>[0-9a-f:.]+)\]|(?<name>[^:[\]]+))(?::\d{1,5})?$/i.exec(host)?.groups;
  const name = parts?.['v6'] ?? parts?.['name'];
  return name === undefined ? null : canonicalName(name);
}

function canonicalName(name: string): string {
  return canonicalAddress(name) ?? name.toLowerCase();
}
