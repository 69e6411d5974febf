// Node takes a connection that has sent nothing yet for a busy one, and closing waits until it times out. Browsers and HTTP
// clients open such connections in advance.
import type { Socket } from 'node:net';

import type { HttpApp } from './http-server.ts';

/** They end when the server closes: nobody is answered on them. */
export function dropSilentConnections(app: HttpApp): void {
  const silent = new Set<Socket>();
  let closing = false;
  app.server.on('connection', (socket: Socket) => {
    if (closing) {
      socket.destroy();
      return;
    }
    silent.add(socket);
    socket.once('close', () => silent.delete(socket));
  });
  app.server.on('request', ({ socket }) => silent.delete(socket));
  app.addHook('preClose', (done) => {
    closing = true;
    for (const socket of silent) socket.destroy();
    done();
  });
}
