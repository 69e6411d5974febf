// Who executes when: a run of the fake CLI whose prompt has the line of this log holds a connection to it as long as its process lives.
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { Socket } from 'node:net';
import { createInterface } from 'node:readline';

/** `from` and `to` are places in one order of all beginnings and ends; `to` is null while it goes on. */
export type Execution = {
  /** Of the run, or the name of a process that was prepared before there was one. */
  runId: string;
  /** The last line of its prompt, where the CLI tells it. */
  says?: string;
  from: number;
  to: number | null;
};

export type ExecutionLog = AsyncDisposable & {
  /** For prompts. */
  line: string;
  /** In the order in which they began. */
  executions: () => Execution[];
};

export async function startExecutionLog(): Promise<ExecutionLog> {
  const executions: Execution[] = [];
  const sockets = new Set<Socket>();
  let place = 0;
  const nextPlace = (): number => (place += 1);

  const server = createServer((socket) => {
    sockets.add(socket);
    let execution: Execution | null = null;
    socket
      .on('error', () => {})
      .on('close', () => {
        sockets.delete(socket);
        if (execution !== null) execution.to = nextPlace();
      });
    // It passes the errors of its input on: a run that is killed may reset its connection.
    const lines = createInterface({ input: socket }).on('error', () => {});
    lines.once('line', (line) => {
      const { run, says }: { run: string; says?: string } = JSON.parse(line);
      const said = says === undefined ? {} : { says };
      execution = { runId: run, ...said, from: nextPlace(), to: null };
      executions.push(execution);
      socket.write('noted\n');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    line: `@@log ${port}`,
    executions: () => executions.map((each) => ({ ...each })),
    [Symbol.asyncDispose]: async () => {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, 'close');
    },
  };
}
