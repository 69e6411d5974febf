// Who is asking: the socket's address, or what a trusted proxy says of it.
import { canonicalAddress, isLoopback } from './cidr.ts';
import type { AddressList } from './cidr.ts';

export type ClientAddress = {
  address: string;
  /** On this machine: a remote proxy's word for 127.0.0.1 is a host of its own, not ours. */
  isLocal: boolean;
};

/**
 * Null when the address cannot be told, which must be refused.
 * X-Forwarded-For counts only from a trusted peer and is read from the right: each proxy appends
 * the address it saw, so what stands left of the first untrusted one is anybody's invention.
 */
export function clientAddress(
  peer: string | undefined,
  forwardedFor: string | undefined,
  trustedProxies: AddressList,
): ClientAddress | null {
  const peerAddress = canonicalAddress(peer ?? '');
  if (peerAddress === null) return null;
  const isLocalPeer = isLoopback(peerAddress);
  if (forwardedFor === undefined || !trustedProxies.includes(peerAddress)) {
    return { address: peerAddress, isLocal: isLocalPeer };
  }
  const address = lastUntrusted(forwardedFor, trustedProxies);
  return address === null ? null : { address, isLocal: isLocalPeer && isLoopback(address) };
}

function lastUntrusted(forwardedFor: string, trustedProxies: AddressList): string | null {
  let address: string | null = null;
  for (const entry of forwardedFor.split(',').toReversed()) {
    address = canonicalAddress(entry.trim());
    if (address === null || !trustedProxies.includes(address)) return address;
  }
  return address;
}
