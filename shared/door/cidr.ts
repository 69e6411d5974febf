// Addresses and CIDRs, read strictly: what is not plainly an address is refused.
import { isIP } from 'node:net';

import ipaddr from 'ipaddr.js';

type ParsedAddress = ipaddr.IPv4 | ipaddr.IPv6;
type ParsedCidr = { base: ParsedAddress; prefixLength: number };

export type AddressList = {
  /** False for anything that is not an address. */
  includes(address: string): boolean;
};

/** The one spelling of an address (IPv4-mapped becomes IPv4), or null when it is none. */
export function canonicalAddress(text: string): string | null {
  // net.isIP knows no octal, short or hexadecimal IPv4, so such a text is its own canonical form.
  if (isIP(text) === 4) return text;
  return parseAddress(text)?.toString() ?? null;
}

export function isLoopback(address: string): boolean {
  // Asked of every request, and parsing takes ten times as long.
  if (isIP(address) === 4) return address.startsWith('127.');
  return parseAddress(address)?.range() === 'loopback';
}

/** A plain address counts as a network of one. */
export function isCidr(text: string): boolean {
  return parseCidr(text) !== null;
}

/** Throws on an entry that is not a CIDR: a list that forgets an entry would be another list. */
export function createAddressList(cidrs: readonly string[]): AddressList {
  const networks = cidrs.map((cidr) => {
    const network = parseCidr(cidr);
    if (network === null) throw new TypeError(`not an address or CIDR: ${JSON.stringify(cidr)}`);
    return network;
  });
  return {
    includes: (address) => {
      const parsed = networks.length === 0 ? null : parseAddress(address);
      return parsed !== null && networks.some((network) => isWithin(parsed, network));
    },
  };
}

export function cidrPrefixLength(text: string): number | null {
  return parseCidr(text)?.prefixLength ?? null;
}

export function addressRange(address: string): string | null {
  return parseAddress(address)?.range() ?? null;
}

function parseAddress(text: string): ParsedAddress | null {
  // Zone ids pass net.isIP, but mean another host on every link.
  return isIP(text) === 0 || text.includes('%') ? null : ipaddr.process(withoutDottedTail(text));
}

// ipaddr.js takes ::192.168.1.5, an IPv6 address of its own, for 192.168.1.5; in hexadecimal it does not.
function withoutDottedTail(text: string): string {
  if (!text.includes(':')) return text;
  return text.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_tail, ...octets: string[]) => {
    const [a = 0, b = 0, c = 0, d = 0] = octets.map(Number);
    return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
  });
}

function parseCidr(text: string): ParsedCidr | null {
  const [addressText = '', prefixText, ...rest] = text.split('/');
  const base = parseAddress(addressText);
  if (base === null || rest.length > 0) return null;
  const width = base.kind() === 'ipv4' ? 32 : 128;
  if (prefixText === undefined) return { base, prefixLength: width };
  if (!/^(0|[1-9]\d{0,2})$/.test(prefixText)) return null;
  const wasMapped = width === 32 && addressText.includes(':');
  const prefixLength = Number(prefixText) - (wasMapped ? 96 : 0);
  return prefixLength < 0 || prefixLength > width ? null : { base, prefixLength };
}

function isWithin(address: ParsedAddress, network: ParsedCidr): boolean {
  return (
    address.kind() === network.base.kind() && address.match([network.base, network.prefixLength])
  );
}
