// A feed as JSON lines.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import { describe, expect, test } from 'vitest';

import { systemClock } from '#shared/clock.ts';

import { fillFeed } from '../support/many-events.ts';
import { vaultDatabases } from '../support/vault-databases.ts';
import { startTestVault } from '../support/vault-world.ts';
import type { TestVault } from '../support/vault-world.ts';

function startExport(world: TestVault, token: string, agentId: string, signal?: AbortSignal) {
  return fetch(`${world.url}/api/v1/agents/${agentId}/export`, {
    headers: { authorization: `Bearer ${token}` },
    ...(signal === undefined ? {} : { signal }),
  });
}

// oxlint-disable-next-line typescript/no-explicit-any -- a test looks at what came, whatever it is
function linesOf(text: string): any[] {
  const lines = text.split('\n');
  expect(lines.pop()).toBe('');
  return lines.map((line) => JSON.parse(line));
}

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

function heldBytes(): number {
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

describe.each(vaultDatabases)('on %s', (kind) => {
  test('has every event of the feed, oldest first, as the feed itself tells it', async () => {
    await using world = await startTestVault(kind);
    const ada = await world.person('admin');
    const viewer = await world.person('viewer');
    const agentId = await world.agent(ada.token, 'Bücher "&" mehr');
    const otherId = await world.agent(ada.token);
    const bound = await world.key(ada.userId, { agents: [otherId] });
    for (const content of ['line\nline\r\u2028', '{"a":1}', '😀\u0001', 'x'.repeat(2 ** 20)]) {
      await world.post(ada.token, agentId, { event_type: 'user_message', content });
      await world.post(ada.token, otherId, { event_type: 'user_message', content: 'not here' });
    }
    const response = await startExport(world, viewer.token, agentId);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toMatch(/^application\/x-ndjson/);
    expect(response.headers.get('content-disposition')).toContain("UTF-8''B%C3%BCcher%20");
    const { body } = await world.call(ada.token, `/agents/${agentId}/events?order=asc&limit=200`);
    expect(linesOf(await response.text())).toEqual(body.data);

    const refused = await startExport(world, bound.token, agentId);
    expect(refused.status).toBe(404);
    expect((await startExport(world, ada.token, `agent_${'0'.repeat(26)}`)).status).toBe(404);
    expect((await startExport(world, 'nobody', agentId)).status).toBe(401);
  });

  test('of very many events costs no memory, keeps nobody waiting and ends where it was when it began', async () => {
    await using world = await startTestVault(kind);
    const { token } = await world.person('admin');
    const agentId = await world.agent(token);
    await fillFeed(world, agentId, 80_000, '2026-01-01T00:00:00.000Z');
    const response = await startExport(world, token, agentId);
    expect(response.status).toBe(200);
    await world.post(token, agentId, { event_type: 'user_message', content: 'too late' });
    const before = heldBytes();
    let [lines, chunks, tail, most] = [0, 0, '', 0];
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) {
      const text = decoder.decode(chunk, { stream: true });
      lines += text.split('\n').length - 1;
      tail = `${tail}${text}`.slice(-1000);
      chunks += 1;
      if (chunks % 50 > 0) continue;
      // What is read ahead of a reader that takes its time.
      await systemClock.sleep(50);
      most = Math.max(most, heldBytes() - before);
    }
    // The event of the making of the agent is the first.
    expect(lines).toBe(80_001);
    expect(JSON.parse(tail.trimEnd().split('\n').at(-1) ?? '')).toMatchObject({
      content: 'event 80000',
    });
    expect(chunks).toBeGreaterThan(100);
    // All of it would be 20 MB, and several times that in objects.
    expect(most).toBeLessThan(15 * 2 ** 20);
  });

  test('ends with its reader and with the vault, and nobody calls that an error', async () => {
    await using world = await startTestVault(kind);
    const { token } = await world.person('admin');
    const agentId = await world.agent(token);
    await fillFeed(world, agentId, 50_000, '2026-01-01T00:00:00.000Z');
    const leaving = new AbortController();
    const left = await startExport(world, token, agentId, leaving.signal);
    expect(left.status).toBe(200);
    leaving.abort();
    // One that does not read on must not keep the vault from stopping.
    const stalled = await startExport(world, token, agentId);
    expect(stalled.status).toBe(200);
    await world.close();
    await expect(stalled.text()).rejects.toThrow(/terminated|aborted/);
    const levels = world.logged().map(({ level }) => level);
    expect(levels.filter((level) => level === 'error' || level === 'fatal')).toEqual([]);
  });
});
