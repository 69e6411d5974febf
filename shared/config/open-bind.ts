// Listening beyond the local network must be said twice: contract.md.
import { addressRange } from '../door/cidr.ts';

const localRanges = ['loopback', 'private', 'linkLocal', 'uniqueLocal', 'carrierGradeNat'];

/** Reachable from beyond the local network, or from everywhere. */
export function isOpenBind(host: string): boolean {
  return host !== 'localhost' && !localRanges.includes(addressRange(host) ?? '');
}

/** `variable` is the one that names the host. */
export function openBindProblem(variable: string, host: string): string {
  return (
    `${variable} is "${host}", which is not only your own network: ` +
    'it must be a local address, or ALLOW_WILDCARD_BIND must be true'
  );
}
