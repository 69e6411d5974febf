// The vault on one host, gateway and watcher on another that nobody can connect to (VC-01): network namespaces stand for the two.
import { join } from 'node:path';

import { describe, expect, test } from 'vitest';

import { startNode } from '../support/child-script.ts';
import { testAdminToken } from '../support/gateway-environment.ts';
import { startGatewayProcess } from '../support/gateway-process.ts';
import type { SeenEvent } from '../support/loop-world.ts';
import { createNetworkNamespace, noNamespacesBecause } from '../support/network-namespace.ts';
import { startTestVault } from '../support/vault-world.ts';

const reason = await noNamespacesBecause();

describe.skipIf(reason !== null)(
  `on two hosts${reason === null ? '' : ` (skipped: ${reason})`}`,
  () => {
    test('the watcher registers and answers, and nothing on its host takes a connection from outside', async () => {
      await using host = await createNetworkNamespace();
      await using vault = await startTestVault('sqlite', {
        env: {
          VAULT_HOST: host.hostAddress,
          ALLOW_CIDRS: `${host.addresses[0]},${host.hostAddress}`,
        },
      });
      const { token, userId } = await vault.person('admin');
      const agent = await vault.agent(token, 'Librarian');
      await using gateway = await startGatewayProcess({ launcher: host.launcher });
      const minted = await host.request({
        ...{ url: `${gateway.url}/admin/tokens`, from: '127.0.0.1', method: 'POST' },
        headers: { authorization: `Bearer ${testAdminToken}`, 'content-type': 'application/json' },
        body: JSON.stringify({ name: 'watcher' }),
      });
      const env = {
        ...{ WATCHER_DATA_DIR: join(gateway.dataDir, 'watcher'), WATCHER_HEALTH_PORT: '0' },
        ...{ WATCHER_VAULT_URL: vault.url, WATCHER_VAULT_KEY: (await vault.key(userId)).token },
        ...{ WATCHER_GATEWAY_URL: gateway.url, WATCHER_GATEWAY_TOKEN: minted.body.token },
        ...{ WATCHER_HOST_NAME: 'attic', WATCHER_FIRST_START: 'all' },
      };
      await using watcher = startNode(['watcher/main.ts'], env, host.launcher);
      const watching = JSON.parse(await watcher.said('"msg":"watching"'));
      const event = { event_type: 'user_message', content: 'over there' };
      const { event_id: id } = await vault.post(token, agent, event);
      await expect
        .poll(async () => {
          const { body } = await vault.call(token, `/agents/${agent}/events`);
          return body.data.flatMap(({ event_type: type, reply_to: to, content }: SeenEvent) =>
            type === 'assistant_message' && to === id ? [content] : [],
          );
        })
        .toEqual(['over there']);
      const hosts = async () => (await vault.call(token, '/hosts')).body.data;
      await expect.poll(hosts).toMatchObject([{ name: 'attic', report: { health: 'ok' } }]);
      for (const port of [new URL(gateway.url).port, new URL(watching.url).port]) {
        await expect(fetch(`http://${host.addresses[0]}:${port}/livez`)).rejects.toMatchObject({
          cause: { code: 'ECONNREFUSED' },
        });
      }
    });
  },
);
