// The disk fails when what was committed is to be put on it: nobody is told that it is there, and the vault ends.
import { expect, test } from 'vitest';

import { startScript } from '../support/child-script.ts';
import { createTestDatabase } from '../support/vault-databases.ts';
import { seedVault, startVaultProcess, vaultEnvironment } from '../support/vault-process.ts';
import { createCaller } from '../support/vault-world.ts';

const failingDisk = `
  import fs from 'node:fs';
  import { syncBuiltinESMExports } from 'node:module';
  const real = fs.fdatasync;
  let isLost = false;
  process.stdin.once('data', () => { isLost = true; process.stdout.write('lost\\n'); });
  fs.fdatasync = (fd, done) => isLost ? setImmediate(done, Object.assign(new Error('the disk is gone'), { code: 'EIO' })) : real(fd, done);
  syncBuiltinESMExports();
  await import('./vault/main.ts');
`;

test('a write is not said to be there, and the next start tells', async () => {
  await using database = await createTestDatabase('sqlite');
  await using seeded = await seedVault(database, 1);
  const [agentId] = seeded.agentIds;
  const body = { event_type: 'user_message', content: 'is it there?' };
  const headers = { 'idempotency-key': 'once' };
  {
    await using script = startScript(failingDisk, vaultEnvironment(seeded.dataDir, database));
    const [, url = ''] = /"url":"([^"]+)"/.exec(await script.said('"msg":"listening"')) ?? [];
    const call = createCaller(`${url}/api/v1`);
    expect((await call(seeded.token, '/agents')).status).toBe(200);
    script.child.stdin.write('now\n');
    await script.said('lost');
    // The connection may end before the answer is out.
    const status = await call(seeded.token, `/agents/${agentId}/events`, { body, headers }).then(
      (answer) => answer.status,
      () => 503,
    );
    expect(status).toBe(503);
    const { code, stdout } = await script.ended;
    expect(code).not.toBe(0);
    expect(stdout).toContain('the disk is gone');
  }
  await using again = await startVaultProcess(seeded.dataDir, database);
  const once = await again.call(seeded.token, `/agents/${agentId}/events`, { body, headers });
  expect(once.status).toBeLessThan(300);
  const { body: feed } = await again.call(seeded.token, `/agents/${agentId}/events`);
  const messages = feed.data.filter((event: { content: string }) => event.content === body.content);
  expect(messages).toHaveLength(1);
});
