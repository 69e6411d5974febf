// `npm run check:container [-- --whole-set]`: the image and compose.yml as an operator uses them, with whatever Docker there is.
// The claude CLI is the real one; its model is an offline stub and its login a dummy.
import { createGatewayClient } from '../support/gateway-client.ts';
import type { GatewayClient } from '../support/gateway-client.ts';
import { createNetworkNamespace, noNamespacesBecause } from '../support/network-namespace.ts';
import type { NetworkNamespace } from '../support/network-namespace.ts';
import { check, eventually, failureCount, say } from './check-list.ts';
import { compose, inGateway, inspectGateway, processesInGateway } from './compose.ts';
import type { ComposeSettings } from './compose.ts';
import { checkWholeSet } from './whole-set-check.ts';

const credentialsFile = '/claude/.credentials.json';
const dummyLogin = '{"claudeAiOauth":{"accessToken":"dummy","refreshToken":"dummy","expiresAt":1}}';
const fakeRuns = 1000;
async function start(address: string, settings: ComposeSettings): Promise<GatewayClient> {
  await compose(['up', '-d', '--no-build'], settings);
  const url = `http://${address}:8800`;
  await eventually('an answer of the gateway', () => fetch(`${url}/livez`));
  const adminToken = await inGateway(['cat', '/data/admin-token']);
  return createGatewayClient(url, adminToken.trim());
}

function health(): Promise<string> {
  return inspectGateway('{{.State.Health.Status}}');
}

async function firstStart(): Promise<string> {
  const gateway = await start('127.0.0.1', {});
  const { body } = await gateway.fetch('/healthz');
  await check('the sandbox is whole', async () => body.sandbox, 'bwrap');
  await check('claude is the pinned one', async () => body.claude_present, true);
  await eventually('health', async () => ((await health()) === 'healthy' ? true : null));
  await check('Docker calls it healthy', health, 'healthy');
  await check('it is not root', () => inGateway(['id', '-u']), '10001');
  const write = `printf %s '${dummyLogin}' > ${credentialsFile} && chmod 600 ${credentialsFile}`;
  await inGateway(['sh', '-c', write]);
  return gateway.mint('app');
}

async function secondStart(token: string, client: NetworkNamespace | null): Promise<void> {
  const [allowed, stranger] = client?.addresses ?? ['10.214.88.1', ''];
  const host = client?.hostAddress ?? '127.0.0.1';
  const settings =
    client === null ? {} : { GATEWAY_LAN_IP: host, ALLOW_CIDRS: `${allowed},${host}` };
  const gateway = await start(host, settings);
  await check('the login is still there', () => inGateway(['cat', credentialsFile]), dummyLogin);
  await eventually('the model', () =>
    inGateway([
      'node',
      '-e',
      "fetch('http://127.0.0.1:9900/').then(() => 0, () => process.exit(1))",
    ]),
  );

  const answer = await askFrom(client, gateway, token, 'hello from outside');
  await check('a run from outside answers', async () => answer.status, 200);
  const [row] = await gateway.audit('?app=app');
  await check("the audit row has the client's own address", async () => row.address, allowed);
  await check('and the sandbox of the run', async () => row.details.sandbox, 'bwrap');
  if (client === null) return;
  const refused = client.request({ url: `${gateway.url}/livez`, from: stranger });
  await check('another address is refused', async () => (await refused).status, 403);
}

async function askFrom(
  client: NetworkNamespace | null,
  gateway: GatewayClient,
  token: string,
  prompt: string,
): Promise<{ status: number }> {
  if (client === null) return gateway.run(token, { prompt });
  return client.request({
    url: `${gateway.url}/run`,
    from: client.addresses[0],
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ prompt }),
  });
}

async function stopDuringRun(gateway: GatewayClient, token: string): Promise<void> {
  const answer = gateway.run(token, { prompt: 'Answer slowly.' });
  await eventually('the run', async () => {
    const { text } = await gateway.fetch('/readyz');
    return text.includes('1 running') ? true : null;
  });
  await compose(['stop', 'gateway']);
  await check('a run in flight finishes after SIGTERM', async () => (await answer).status, 200);
  const log = await compose(['logs', '--no-log-prefix', 'gateway']);
  const inOrder = /"msg":"stopping".*"msg":"run ended".*"msg":"stopped"/s.test(log);
  await check('after it, by the log', async () => inOrder, true);
  await check('and the gateway ends well', () => inspectGateway('{{.State.ExitCode}}'), '0');
}

async function manyRuns(gateway: GatewayClient, token: string): Promise<void> {
  await gateway.run(token, { prompt: 'warm up' });
  const before = await processesInGateway();
  const statuses = new Map<number, number>();
  let left = fakeRuns;
  const caller = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      const { status } = await gateway.run(token, { prompt: 'one of many' });
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
  };
  await Promise.all(Array.from({ length: 6 }, caller));
  await check(`${fakeRuns} runs answer`, async () => [...statuses], [[200, fakeRuns]]);
  const after = await processesInGateway();
  await check('no zombie is left', async () => after.zombies, 0);
  await check('and no other process', async () => after.count, before.count);
}

async function checkGateway(opened: AsyncDisposableStack): Promise<void> {
  const reason = await noNamespacesBecause();
  if (reason !== null) say(`left out: a client on the network (${reason})`);
  const token = await firstStart();

  await compose(['down', '--rmi', 'all']);
  await compose(['build']);
  const client = reason === null ? opened.use(await createNetworkNamespace()) : null;
  await secondStart(token, client);

  await compose(['down']);
  const gateway = await start('127.0.0.1', {});
  await stopDuringRun(gateway, token);
  await compose(['down']);
  await manyRuns(await start('127.0.0.1', { CHECK_CLAUDE_BIN: '/check/claude' }), token);
  await compose(['down', '-v']);
}

async function checkAll(isSetAlone: boolean): Promise<void> {
  await using opened = new AsyncDisposableStack();
  const everything = { COMPOSE_PROFILES: 'postgres' };
  const removal = ['down', '-v', '--rmi', 'all', '-t', '1'];
  opened.defer(async () => void (await compose(removal, everything)));
  await compose(['down', '-v', '-t', '1'], everything);
  await compose(['build'], everything);
  if (!isSetAlone) await checkGateway(opened);
  await checkWholeSet('SQLite', {});
  await compose(['down', '-v']);
  await checkWholeSet('PostgreSQL', { ...everything, POSTGRES_PASSWORD: 'not-secret' });
}

try {
  await checkAll(process.argv.includes('--whole-set'));
  const failures = failureCount();
  say(failures === 0 ? 'all well' : `${failures} failed`);
  process.exitCode = failures === 0 ? 0 : 1;
} catch (err) {
  process.exitCode = 1;
  say(err instanceof Error ? err.message : String(err));
}
