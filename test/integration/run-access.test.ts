// An app and its runs: what taking its token away does, and what another app can see.
import { expect, it } from 'vitest';

import { startTestGateway } from '../support/test-gateway.ts';

it('a token that is revoked during a run is good for nothing more, and the run ends its own way', async () => {
  await using gateway = await startTestGateway();
  const token = await gateway.mint('app');
  const running = gateway.run(token, { prompt: '@@sleep 1500\nthe answer' });
  await expect.poll(() => gateway.runDirectories()).toHaveLength(1);
  expect((await gateway.admin('/admin/tokens/app', undefined, 'DELETE')).status).toBe(204);
  expect((await gateway.run(token, { prompt: 'one more' })).status).toBe(401);
  expect(await running).toMatchObject({ status: 200, body: { result: 'the answer' } });
  expect((await gateway.audit('?action=run')).length).toBe(1);
});

it('an app that takes a revoked name over is another app', async () => {
  await using gateway = await startTestGateway();
  const old = await gateway.mint('app', { models: ['haiku'] });
  await gateway.admin('/admin/tokens/app', undefined, 'DELETE');
  const fresh = await gateway.mint('app', { models: ['opus'] });
  expect((await gateway.run(old, { prompt: 'x' })).status).toBe(401);
  expect((await gateway.run(fresh, { prompt: 'x', model: 'haiku' })).status).toBe(400);
  expect((await gateway.run(fresh, { prompt: 'x', model: 'opus' })).status).toBe(200);
});

it('forwarding headers change nothing for a peer that is not a trusted proxy', async () => {
  await using gateway = await startTestGateway();
  const token = await gateway.mint('app', { ip_cidrs: ['10.9.9.0/24'] });
  const headers = {
    ...{ authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...{ 'x-forwarded-for': '10.9.9.9', forwarded: 'for=10.9.9.9', 'x-real-ip': '10.9.9.9' },
  };
  const init = { method: 'POST', headers, body: '{"prompt":"x"}' };
  expect((await gateway.fetch('/run', init)).status).toBe(403);
});
