// How the page of a request was reached: what its cookies and the links that it is given depend on.
import type { FastifyRequest } from 'fastify';

import { createAddressList } from '#shared/door/cidr.ts';

export type PageOrigin = {
  /** Not by plain HTTP. A direct connection is plain; a trusted proxy tells how its client came. */
  isSecure: (request: FastifyRequest) => boolean;
  /** Of a page of ours. */
  urlOf: (request: FastifyRequest, page: string, token: string) => string;
};

export function createPageOrigin(options: {
  publicUrl: string | null;
  trustedProxies: readonly string[];
}): PageOrigin {
  const trustedProxies = createAddressList(options.trustedProxies);

  const isSecure: PageOrigin['isSecure'] = ({ raw: { headers, socket } }) => {
    if (!trustedProxies.includes(socket.remoteAddress ?? '')) return false;
    const [scheme = ''] = [headers['x-forwarded-proto'] ?? ''].flat();
    return scheme.split(',', 1)[0]?.trim().toLowerCase() === 'https';
  };
  return {
    isSecure,
    urlOf(request, page, token) {
      const scheme = isSecure(request) ? 'https' : 'http';
      // The door has seen to it that the Host is a name of ours.
      return pageUrl(options.publicUrl ?? `${scheme}://${request.host}`, page, token);
    },
  };
}

/** The token stands behind the #, which no browser sends: it is in no log and in no Referer. */
export function pageUrl(baseUrl: string, page: string, token: string): string {
  return `${baseUrl.replace(/\/+$/, '')}/${page}#${token}`;
}
