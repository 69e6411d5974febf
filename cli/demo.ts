// npm run demo: what npm start starts, without an account: the real CLI with our own offline model behind it, and a link that signs in.
// With --once it ends after the first answers.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { makeDemoAccount } from './demo/demo-account.ts';
import { demoEnvironment } from './demo/demo-environment.ts';
import { askAgent } from './demo/demo-message.ts';
import { curlOf, mintToken, showRun } from './demo/demo-run.ts';
import { echoReply } from './model-stub-reply.ts';
import { startModelStub } from './model-stub.ts';
import { untilStopped } from './start/until-stopped.ts';
import { openWholeSet } from './start/whole-set.ts';

const isOneShot = process.argv.includes('--once');
const patienceMs = 120_000;

await untilStopped(async (opened) => {
  const home = await mkdtemp(join(tmpdir(), 'gatehouse-demo-'));
  opened.defer(() => rm(home, { recursive: true, force: true }));
  // Slow enough to be seen as it is written.
  const model = await startModelStub({ reply: (request) => slowly(echoReply(request)) });
  opened.use(model);
  const env = await demoEnvironment(home, model.url);
  const account = await makeDemoAccount(env, home);
  const { gatewayUrl, pageUrl } = await openWholeSet(opened, {
    ...{ env, cwd: home, onLine: sayWarnings, say: sayFacts },
  });
  const token = await mintToken(gatewayUrl, join(home, 'data'));
  const prompt = 'Say hello to the people who build small apps.';
  say(
    '\nDemo: the model is an offline stub. No account is used and nothing leaves this machine.\n',
    `$ ${curlOf(gatewayUrl, token, prompt)}`,
    await showRun(gatewayUrl, token, prompt),
  );
  const question = 'What is a gatehouse?';
  const { agent, answer } = await askAgent(pageUrl, account, question, patienceMs);
  say(`\nOn the page, to the agent ${agent}: ${question}`, `${agent}: ${answer}`);
  if (isOneShot) return 'done';
  say(
    '\nOpen this link, once, and you are signed in: write to the agent and watch it answer.',
    `  ${pageUrl}/sign-in#${account.linkToken}`,
    `Any other browser: sign in as ${account.name} with the password ${account.password}`,
    'Ctrl-C ends the demo, and all that it wrote goes with it.',
  );
  return 'running';
});

function slowly(reply: ReturnType<typeof echoReply>): ReturnType<typeof echoReply> {
  return reply.kind === 'message' ? { ...reply, chunkChars: 8, chunkDelayMs: 25 } : reply;
}

function say(...lines: string[]): void {
  process.stdout.write(`${lines.join('\n')}\n`);
}

function sayWarnings(line: string): void {
  if (/"level":"(warn|error|fatal)"/.test(line)) process.stderr.write(`${line}\n`);
}

/** How to go on with an installation that stays is not for here. */
function sayFacts(text: string): void {
  if (!/admin.token|Make a token/.test(text) && text !== '') process.stderr.write(`${text}\n`);
}
