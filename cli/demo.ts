// The whole path without an account: the gateway as `npm start` runs it, the real CLI, and our own offline model behind it.
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';

import { execa } from 'execa';

import { startModelStub } from './model-stub.ts';

const projectDir = dirname(import.meta.dirname);
const prompt = 'Say hello to the people who build small apps.';

/** What of the caller's environment has no place here: a demo never uses a real credential. */
const credentialVariables = /^(ANTHROPIC_|CLAUDE_)/;

function demoEnvironment(home: string, modelUrl: string): Record<string, string> {
  const own = Object.entries(process.env).filter(([name]) => !credentialVariables.test(name));
  return {
    ...Object.fromEntries(own.map(([name, value]) => [name, value ?? ''])),
    HOME: home,
    GATEWAY_DATA_DIR: join(home, 'data'),
    ADMIN_BOOTSTRAP_TOKEN: '',
    CLAUDE_BIN: '',
    LOG_LEVEL: 'info',
    ANTHROPIC_API_KEY: 'demo-key-of-the-offline-model',
    ANTHROPIC_BASE_URL: modelUrl,
  };
}

async function mintToken(url: string, dataDir: string): Promise<string> {
  const adminToken = (await readFile(join(dataDir, 'admin-token'), 'utf8')).trim();
  const response = await fetch(`${url}/admin/tokens`, {
    method: 'POST',
    headers: { authorization: `Bearer ${adminToken}`, 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'demo' }),
  });
  const answer: unknown = await response.json();
  if (typeof answer === 'object' && answer !== null && 'token' in answer)
    return String(answer.token);
  throw new Error(`no token for the demo: ${JSON.stringify(answer)}`);
}

async function showRun(url: string, token: string): Promise<boolean> {
  const body = JSON.stringify({ prompt });
  say(
    '\nDemo: the model is an offline stub. No account is used and nothing leaves this machine.\n',
    `$ curl -s ${url}/run -H 'Authorization: Bearer ${token}' \\`,
    `    -H 'Content-Type: application/json' -d '${body}'`,
  );
  const response = await fetch(`${url}/run`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body,
  });
  say(JSON.stringify(await response.json(), null, 2));
  return response.ok;
}

function say(...lines: string[]): void {
  process.stdout.write(`${lines.join('\n')}\n`);
}

/** Resolves with the gateway's address; its log is shown from warnings upwards. */
async function listening(output: NodeJS.ReadableStream): Promise<string> {
  const found = Promise.withResolvers<string>();
  const lines = createInterface({ input: output });
  lines.on('line', (line) => {
    const url = /"url":"([^"]+)".*"msg":"listening"/.exec(line)?.[1];
    if (url !== undefined) found.resolve(url);
    if (/"level":"(warn|error|fatal)"/.test(line)) process.stderr.write(`${line}\n`);
  });
  lines.once('close', () => found.reject(new Error('the gateway did not start')));
  return found.promise;
}

/** With --once it ends after the answer; else it stays, like `npm start`. */
async function demo(isOneShot: boolean): Promise<void> {
  const home = await mkdtemp(join(tmpdir(), 'gatehouse-demo-'));
  await using opened = new AsyncDisposableStack();
  opened.defer(() => rm(home, { recursive: true, force: true }));
  const model = opened.use(await startModelStub({}));
  const env = demoEnvironment(home, model.url);
  const gateway = execa('node', ['gateway/main.ts'], {
    cwd: projectDir,
    env,
    extendEnv: false,
    reject: false,
    buffer: false,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const stop = (): void => void gateway.kill('SIGTERM');
  process.on('SIGINT', stop).on('SIGTERM', stop);
  opened.defer(async () => {
    stop();
    await gateway;
  });
  const url = await listening(gateway.stdout);
  const ok = await showRun(url, await mintToken(url, join(home, 'data')));
  if (!ok) process.exitCode = 1;
  if (isOneShot) return;
  say('\nThe gateway stays up until Ctrl-C: run that curl yourself.');
  await once(gateway.nodeChildProcess, 'exit');
}

try {
  await demo(process.argv.includes('--once'));
} catch (err) {
  process.stderr.write(`${err instanceof Error ? err.message : String(err)}\n`);
  process.exitCode = 1;
}
