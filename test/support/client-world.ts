// An app of its own at a gateway, behind a network that can be cut.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { createGatewayClient } from '#shared/gateway-client.ts';
import type { GatewayClient, GatewayClientOptions } from '#shared/gateway-client.ts';
import type { RunItem } from '#shared/gateway-run-api.ts';

import { startCuttingProxy } from './cutting-proxy.ts';
import type { CuttingProxy } from './cutting-proxy.ts';
import type { GatewayClient as TestAccess } from './gateway-client.ts';

export type ClientWorld = AsyncDisposable & {
  proxy: CuttingProxy;
  app: GatewayClient;
  token: string;
  /** A directive for prompts that counts, and how often it was obeyed. */
  counted: string;
  starts: () => number;
  /** All runs of the app, newest first, asked for on a way that nobody cuts. */
  runs: () => Promise<RunItem[]>;
};

let worlds = 0;

/** Pauses between attempts are short unless `client` says otherwise. */
export async function startClientWorld(
  gateway: Pick<TestAccess, 'url' | 'mint'> & { dataDir: string },
  options: { client?: Partial<GatewayClientOptions>; limits?: Record<string, unknown> } = {},
): Promise<ClientWorld> {
  worlds += 1;
  const token = await gateway.mint(`app-${worlds}`, options.limits);
  const proxy = await startCuttingProxy(gateway.url);
  const patience = { attempts: 500, firstDelaySecs: 0.01, maxDelaySecs: 0.25 };
  const app = createGatewayClient({ url: proxy.url, token, patience, ...options.client });
  const log = join(gateway.dataDir, `starts-${worlds}.log`);
  return {
    ...{ proxy, app, token, counted: `@@log ${log}` },
    starts: () =>
      existsSync(log) ? readFileSync(log, 'utf8').split('"event":"start"').length - 1 : 0,
    async runs() {
      await using direct = createGatewayClient({ url: gateway.url, token });
      return (await direct.list()).items;
    },
    [Symbol.asyncDispose]: async () => {
      await app.close();
      await proxy[Symbol.asyncDispose]();
    },
  };
}
