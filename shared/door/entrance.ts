// What is asked of every request, whatever its route: where from, under which name, and no token in the URL.
import type { FastifyRequest } from 'fastify';

import { requestError } from '../errors.ts';
import type { Log } from '../log.ts';
import { createAddressList, isLoopback } from './cidr.ts';
import { clientAddress } from './client-address.ts';
import type { ClientAddress } from './client-address.ts';
import { createHostPolicy } from './host-policy.ts';
import type { EntranceReason, Refuse } from './refusal.ts';
import type { MentionsToken } from './request-credentials.ts';
import { hasTokenInUrl } from './request-credentials.ts';

export type EntranceOptions = {
  listenHost: string;
  allowCidrs: readonly string[];
  /** May read the metrics without a token, and do nothing else. */
  metricsCidrs?: readonly string[];
  allowedHosts: readonly string[];
  trustedProxies: readonly string[];
  mentionsToken: MentionsToken;
};

export type Entrance = {
  /** Throws the refusal of a request that may not go on. */
  admit(request: FastifyRequest, isForMetrics?: boolean): Admitted;
};

export type Admitted = {
  address: string;
  /** It may read the metrics without a token. */
  isReader: boolean;
};

export function createEntrance(
  options: EntranceOptions,
  refuse: Refuse<EntranceReason>,
  log: Log,
): Entrance {
  const { mentionsToken } = options;
  const allowedAddresses = createAddressList(options.allowCidrs);
  const trustedProxies = createAddressList(options.trustedProxies);
  const metricsReaders = createAddressList(options.metricsCidrs ?? []);
  const hosts = createHostPolicy(options.listenHost, options.allowedHosts);
  let hasWarned = false;

  function locate(request: FastifyRequest): ClientAddress {
    const peer = request.raw.socket.remoteAddress;
    const forwardedFor = joined(request.raw.headers['x-forwarded-for']);
    const client = clientAddress(peer, forwardedFor, trustedProxies);
    if (client === null) {
      const error = requestError('forbidden', 'the address of the client cannot be told');
      throw refuse(request, peer ?? null, 'unclear_address', error);
    }
    if (forwardedFor !== undefined && !hasWarned && !trustedProxies.includes(peer ?? '')) {
      hasWarned = true;
      log.warn({ address: client.address }, 'x-forwarded-for of an untrusted peer ignored');
    }
    return client;
  }

  function checkNames(request: FastifyRequest, address: string): void {
    const { headers, rawHeaders, socket } = request.raw;
    // The name in an absolute target counts before the header.
    const named = /^https?:\/\/([^/?#]*)/i.exec(request.raw.url ?? '')?.[1];
    const isOurs = [headers.host, named ?? headers.host].every((name) =>
      hosts.allowsHost(name, socket.localAddress),
    );
    if (!isOurs || hasTwoHosts(rawHeaders)) {
      const message = 'the Host header names another host: see ALLOWED_HOSTS';
      throw refuse(request, address, 'host', requestError('wrong_host', message));
    }
    const { origin } = headers;
    if (origin !== undefined && !hosts.allowsOrigin(origin, socket.localAddress)) {
      const message = 'requests from pages of another origin are not served';
      throw refuse(request, address, 'origin', requestError('forbidden', message));
    }
  }

  function isMetricsReader({ address, isLocal }: ClientAddress): boolean {
    // A remote proxy's own loopback address is not ours.
    return metricsReaders.includes(address) && (isLocal || !isLoopback(address));
  }

  return {
    admit: (request, isForMetrics = false) => {
      const client = locate(request);
      const { address, isLocal } = client;
      const isReader = isForMetrics && isMetricsReader(client);
      if (!isLocal && !isReader && !allowedAddresses.includes(address)) {
        const error = requestError('forbidden', `the address ${address} may not connect`);
        throw refuse(request, address, 'address', error);
      }
      checkNames(request, address);
      if (hasTokenInUrl(request.raw.url ?? '', request.raw.headers, mentionsToken)) {
        const message = 'a token belongs in the Authorization header, never in a URL';
        const details = { field: 'query' };
        const error = requestError('invalid_request', message, { details });
        throw refuse(request, address, 'token_in_url', error);
      }
      return { address, isReader };
    },
  };
}

function joined(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header.join(',') : header;
}

// Node keeps the first of two, a proxy before us may have gone by the other.
function hasTwoHosts(rawHeaders: readonly string[]): boolean {
  let hosts = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index];
    if (name?.length === 4 && name.toLowerCase() === 'host') hosts += 1;
  }
  return hosts > 1;
}
