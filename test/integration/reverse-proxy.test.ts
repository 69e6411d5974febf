// TLS by a real reverse proxy set up with our recipe, and clients with addresses of their own on a real network.
import { describe, expect, test } from 'vitest';

import { createNetworkNamespace, noNamespacesBecause } from '../support/network-namespace.ts';
import type { ForeignAnswer, NetworkNamespace } from '../support/network-namespace.ts';
import { isInstalled, proxyName, startReverseProxy } from '../support/reverse-proxy.ts';
import type { ProxyProgram, ReverseProxy } from '../support/reverse-proxy.ts';
import { startTestGateway } from '../support/test-gateway.ts';
import type { TestGateway } from '../support/test-gateway.ts';

const noNamespaces = await noNamespacesBecause();
const hasOpenssl = await isInstalled('openssl');

type World = AsyncDisposable & {
  gateway: TestGateway;
  client: NetworkNamespace;
  get: (from: string, headers?: Record<string, string>) => Promise<ForeignAnswer>;
  proxy: ReverseProxy;
};

async function startWorld(program: ProxyProgram): Promise<World> {
  const opened = new AsyncDisposableStack();
  try {
    const client = opened.use(await createNetworkNamespace());
    const gateway = opened.use(
      await startTestGateway({
        env: {
          TRUSTED_PROXIES: '127.0.0.1',
          ALLOWED_HOSTS: proxyName,
          ALLOW_CIDRS: client.addresses[0],
        },
      }),
    );
    const proxy = opened.use(await startReverseProxy(program, client.hostAddress, gateway.url));
    const get: World['get'] = (from, headers = {}) =>
      client.request({
        ...tls(proxy),
        url: `${proxy.url}/livez`,
        from,
        headers: { host: proxyName, ...headers },
      });
    return { gateway, client, proxy, get, [Symbol.asyncDispose]: () => opened.disposeAsync() };
  } catch (err) {
    await opened.disposeAsync();
    throw err;
  }
}

function tls(proxy: ReverseProxy): { ca: string; servername: string } {
  return { ca: proxy.certificate, servername: proxyName };
}

for (const program of ['nginx', 'caddy'] as const) {
  const missing = (await isInstalled(program)) ? null : `${program} is not installed`;
  const reason = noNamespaces ?? missing ?? (hasOpenssl ? null : 'openssl is not installed');
  const note = reason === null ? '' : ` (skipped: ${reason})`;

  describe.skipIf(reason !== null)(`behind ${program}${note}`, () => {
    test('a client of the allowlist has its run, audited under its own address', async () => {
      await using world = await startWorld(program);
      const { gateway, client, proxy } = world;
      const token = await gateway.mint('app');
      const answer = await client.request({
        ...tls(proxy),
        url: `${proxy.url}/run`,
        from: client.addresses[0],
        method: 'POST',
        headers: {
          host: proxyName,
          authorization: `Bearer ${token}`,
          'content-type': 'application/json',
        },
        body: JSON.stringify({ prompt: 'hello' }),
      });
      expect(answer).toMatchObject({ status: 200, body: { ok: true } });
      const [row] = await gateway.audit('?app=app&limit=1');
      expect(row.address).toBe(client.addresses[0]);
    });

    test('any other client is refused by its own address, whatever it says of itself', async () => {
      await using world = await startWorld(program);
      const [allowed, stranger] = world.client.addresses;
      const lies = [undefined, allowed, '127.0.0.1', `${allowed}, 127.0.0.1`, '::1', 'garbage'];
      for (const lie of lies) {
        const headers = lie === undefined ? {} : { 'x-forwarded-for': lie };
        const answer = await world.get(stranger, headers);
        expect({ lie, ...answer }).toMatchObject({ lie, status: 403, body: { ok: false } });
        expect(answer.body.error.message).toContain(stranger);
      }
      expect(await world.get(allowed)).toEqual({ status: 200, body: { ok: true } });
    });
  });
}
