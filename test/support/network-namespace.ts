// A machine of its own on the network, as far as this one can tell: a network namespace with addresses that are not ours.
import { randomInt } from 'node:crypto';

import { execa } from 'execa';

export type NetworkNamespace = AsyncDisposable & {
  /** Ours, on the wire between the two. */
  hostAddress: string;
  /** Theirs. */
  addresses: readonly [string, string];
  /** A command line that runs another one there. */
  launcher: string[];
  request: (options: ForeignRequest) => Promise<ForeignAnswer>;
};

export type ForeignRequest = {
  url: string;
  from: string;
  method?: string;
  headers?: Record<string, string>;
  body?: string;
  /** A certificate file to trust. */
  ca?: string;
  servername?: string;
};

// oxlint-disable-next-line typescript/no-explicit-any -- an answer is looked into as JSON of any shape
export type ForeignAnswer = { status: number; body: any };

const client = `
const { url, from, ca, servername, body, ...rest } = JSON.parse(process.argv[1]);
const { request } = require(url.startsWith('https:') ? 'node:https' : 'node:http');
const options = { ...rest, localAddress: from, agent: false };
if (ca) options.ca = require('node:fs').readFileSync(ca);
if (servername) options.servername = servername;
request(url, options, (response) => {
  let text = '';
  response.setEncoding('utf8').on('data', (chunk) => (text += chunk)).on('end', () => {
    console.log(JSON.stringify({ status: response.statusCode, text }));
  });
}).on('error', (err) => { console.error(String(err)); process.exitCode = 1; }).end(body);
`;

function ip(...args: string[]): ReturnType<typeof execa> {
  return execa('ip', args);
}

/** Why there can be none here; null when there can. */
export async function noNamespacesBecause(): Promise<string | null> {
  if (process.getuid?.() !== 0) return 'only root may make network namespaces';
  const name = `gh-try-${process.pid}`;
  const made = await execa('ip', ['netns', 'add', name], { reject: false });
  if (made.failed) return 'iproute2 is missing, or this system makes no network namespaces';
  await execa('ip', ['netns', 'del', name]);
  return null;
}

export async function createNetworkNamespace(): Promise<NetworkNamespace> {
  const id = randomInt(10_000, 99_999);
  const [name, ours, theirs] = [`gatehouse-${id}`, `gh-${id}-a`, `gh-${id}-b`];
  const net = `10.231.${id % 250}`;
  const addresses = [`${net}.2`, `${net}.3`] as const;
  await ip('netns', 'add', name);
  await using undo = new AsyncDisposableStack();
  undo.defer(async () => void (await ip('netns', 'del', name)));
  await ip('link', 'add', ours, 'type', 'veth', 'peer', 'name', theirs, 'netns', name);
  await ip('addr', 'add', `${net}.1/24`, 'dev', ours);
  await ip('link', 'set', ours, 'up');
  for (const address of addresses) {
    await ip('-n', name, 'addr', 'add', `${address}/24`, 'dev', theirs);
  }
  for (const device of [theirs, 'lo']) await ip('-n', name, 'link', 'set', device, 'up');
  const kept = undo.move();
  return {
    hostAddress: `${net}.1`,
    addresses,
    launcher: ['ip', 'netns', 'exec', name],
    async request(options) {
      const run = ['netns', 'exec', name, process.execPath, '-e', client, JSON.stringify(options)];
      const { stdout } = await execa('ip', run, { env: { NODE_EXTRA_CA_CERTS: '' } });
      const { status, text } = JSON.parse(stdout);
      return { status, body: parsed(text) };
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
