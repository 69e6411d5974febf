import { isIPv6 } from 'node:net';

import { isWildcardAddress } from './door/host-policy.ts';
import { StartError } from './errors.ts';
import type { HttpApp } from './http-server.ts';

/** Gives the URL to reach it by; `variable` is what sets the port. Throws StartError when it cannot listen there. */
export async function listen(
  app: HttpApp,
  { host, port }: { host: string; port: number },
  variable: string,
): Promise<string> {
  try {
    await app.listen({ host, port });
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
    const reason =
      code === 'EADDRINUSE'
        ? `something else listens there already; ${variable} sets another`
        : code;
    throw new StartError(`cannot listen on ${host} port ${port}: ${reason}`, { cause });
  }
  const address = app.server.address();
  const usedPort = typeof address === 'object' && address !== null ? address.port : port;
  return listenUrl(host, usedPort);
}

/** To be reached by on this machine. */
export function listenUrl(host: string, port: number): string {
  // Nobody can connect to the address that stands for all of them.
  const name = isWildcardAddress(host) ? (isIPv6(host) ? '::1' : '127.0.0.1') : host;
  return `http://${isIPv6(name) ? `[${name}]` : name}:${port}`;
}
