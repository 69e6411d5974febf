// The offline model as a process of its own. A prompt with "slowly" in it is answered a word at a time.
import { echoReply, messageReply } from '../../cli/model-stub-reply.ts';
import { userText } from '../../cli/model-stub-request.ts';
import { startModelStub } from '../../cli/model-stub.ts';

const slowAnswer = 'so far so good '.repeat(10);

await startModelStub({
  port: 9900,
  reply: (request) =>
    userText(request).includes('slowly')
      ? messageReply([{ type: 'text', text: slowAnswer }], { chunkChars: 15, chunkDelayMs: 600 })
      : echoReply(request),
});
process.once('SIGTERM', () => {
  process.exitCode = 0;
  // oxlint-disable-next-line unicorn/no-process-exit -- nothing to release, and the server holds the process
  process.exit();
});
