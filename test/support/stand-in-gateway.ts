// Something that answers in the gateway's place, for answers that the real one does not give.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { RequestListener } from 'node:http';

export type StandInGateway = AsyncDisposable & { url: string };

export async function startStandInGateway(answer: RequestListener): Promise<StandInGateway> {
  const server = createServer(answer);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
