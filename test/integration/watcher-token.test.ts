// The token of the gateway that npm start makes for its watcher.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import { expect, onTestFinished, test } from 'vitest';

import { makeGatewayToken } from '../../cli/start/gateway-token.ts';
import { testAdminToken } from '../support/gateway-environment.ts';
import { startTestGateway } from '../support/test-gateway.ts';

test('is made, and made anew', async () => {
  await using gateway = await startTestGateway();
  const make = () =>
    makeGatewayToken(gateway.url, { dataDir: gateway.dataDir, bootstrapToken: testAdminToken }, 0);
  const [first, second] = [await make(), await make()];
  const statusOf = async (token: string): Promise<number> => {
    const headers = { authorization: `Bearer ${token}` };
    return (await fetch(`${gateway.url}/me`, { headers })).status;
  };
  expect([await statusOf(first), await statusOf(second)]).toEqual([401, 200]);
});

test('where the gateway lets nobody in from its own address, it says what to add', async () => {
  const refusing = createServer((_request, response) => response.writeHead(403).end('{}'));
  await new Promise<void>((resolve) => refusing.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void refusing.close());
  const { port } = refusing.address() as AddressInfo;
  const admin = { dataDir: '', bootstrapToken: 'adm_there' };
  await expect(makeGatewayToken(`http://127.0.0.1:${port}`, admin, 0)).rejects.toThrow(
    'add 127.0.0.1 to ALLOW_CIDRS',
  );
});
