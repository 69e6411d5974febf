// A TCP proxy before a gateway that does what networks do: it cuts connections in the middle, falls silent, points elsewhere.
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { Socket } from 'node:net';

/** After so many bytes of what the client sends, or of what it gets. */
export type Cut = { sent: number } | { received: number };

export type CuttingProxy = AsyncDisposable & {
  url: string;
  /** The next connections are cut so, one after the other; those after them are left alone. */
  cutNext: (...cuts: Cut[]) => void;
  /** Those that are open now. */
  cutAll: () => void;
  /** Nothing more gets through on those that are open now, and they stay open. */
  silenceAll: () => void;
  pointTo: (url: string) => void;
  /** Of clients, so far and now. */
  connections: () => number;
  open: () => number;
};

type Pair = { client: Socket; gateway: Socket };

export async function startCuttingProxy(gatewayUrl: string): Promise<CuttingProxy> {
  const pairs = new Set<Pair>();
  const cuts: Cut[] = [];
  let port = portOf(gatewayUrl);
  let connections = 0;

  const server = createServer((client) => {
    connections += 1;
    const pair = { client, gateway: connect(port, '127.0.0.1') };
    pairs.add(pair);
    const cut = cuts.shift();
    pass(client, pair.gateway, limitOf(cut, 'sent'), () => destroy(pair));
    pass(pair.gateway, client, limitOf(cut, 'received'), () => destroy(pair));
    client.on('close', () => {
      pairs.delete(pair);
      pair.gateway.destroy();
    });
    // What it said last is still to get through.
    pair.gateway.on('close', () => client.end());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const ownPort = typeof address === 'object' && address !== null ? address.port : 0;

  return {
    url: `http://127.0.0.1:${ownPort}`,
    cutNext: (...more) => void cuts.push(...more),
    cutAll: () => pairs.forEach(destroy),
    silenceAll() {
      for (const { client, gateway } of pairs) {
        for (const socket of [client, gateway]) socket.removeAllListeners('data').resume();
      }
    },
    pointTo: (url) => void (port = portOf(url)),
    connections: () => connections,
    open: () => pairs.size,
    [Symbol.asyncDispose]: async () => {
      pairs.forEach(destroy);
      server.close();
      await once(server, 'close');
    },
  };
}

function pass(from: Socket, to: Socket, limit: number, cut: () => void): void {
  let passed = 0;
  from.on('error', () => {});
  from.on('data', (chunk) => {
    const rest = chunk.subarray(0, limit - passed);
    passed += rest.length;
    if (passed < limit) to.write(rest);
    else to.write(rest, cut);
  });
}

function destroy({ client, gateway }: Pair): void {
  client.destroy();
  gateway.destroy();
}

function limitOf(cut: Cut | undefined, side: 'sent' | 'received'): number {
  const limits: Partial<Record<typeof side, number>> = cut ?? {};
  return limits[side] ?? Number.POSITIVE_INFINITY;
}

function portOf(url: string): number {
  return Number(new URL(url).port);
}
