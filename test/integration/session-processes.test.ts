// The processes of conversations: what becomes of one that misbehaves, is idle, or loses its gateway.
import { describe, expect, test } from 'vitest';

import { processesMarked } from '../../gateway/sandbox/process-table.ts';
import { runMarker } from '../../gateway/sandbox/sandboxed-process.ts';
import { startGatewayProcess } from '../support/gateway-process.ts';
import { startTestGateway } from '../support/test-gateway.ts';
import type { TestGateway } from '../support/test-gateway.ts';

const within = { timeout: 20_000 };

async function openSession(gateway: Pick<TestGateway, 'mint' | 'as' | 'run'>) {
  const token = await gateway.mint('talker');
  const { body } = await gateway.as(token, '/sessions', { body: {} });
  const sessionId: string = body.session_id;
  const say = (prompt: string) => gateway.run(token, { prompt, session_id: sessionId });
  return { token, sessionId, say };
}

function processesOf(sessionId: string): number[] {
  return processesMarked(runMarker, (mark) => mark === sessionId);
}

describe.for(['none', 'require'])(
  'under SANDBOX=%s, in the second turn of a session',
  (SANDBOX) => {
    const faults: [string, string, Record<string, unknown>][] = [
      ['falls silent', '@@init-then-silence', { status: 504, code: 'timeout_idle' }],
      [
        'falls silent and is deaf to everything but SIGKILL',
        '@@ignore-term\n@@ignore-interrupt\n@@init-then-silence',
        { status: 504, code: 'timeout_idle' },
      ],
      ['ends without an answer', '@@exit 3', { status: 502, code: 'crashed' }],
    ];
    test.for(faults)(
      'a process that %s is gone, and the session goes on',
      async ([, prompt, told]) => {
        await using gateway = await startTestGateway({ env: { SANDBOX, RUN_IDLE_SECS: '2' } });
        const { say, sessionId } = await openSession(gateway);
        expect((await say('first')).status).toBe(200);
        const kept = processesOf(sessionId);
        expect(kept).not.toEqual([]);
        const { status, body } = await say(prompt);
        expect({ status, code: body.error.code }).toEqual(told);
        expect(processesOf(sessionId)).toEqual([]);
        const { body: next } = await say('@@history');
        expect(next).toMatchObject({ ok: true, result: ['first', prompt] });
        expect(processesOf(sessionId)).not.toEqual(kept);
      },
    );

    test('what a process left running is gone with it', async () => {
      await using gateway = await startTestGateway({ env: { SANDBOX } });
      const { say, sessionId, token } = await openSession(gateway);
      expect(await say('@@setsid 300000\na good answer')).toMatchObject({ status: 200 });
      await gateway.as(token, `/sessions/${sessionId}`, { method: 'DELETE' });
      await expect.poll(() => processesOf(sessionId), within).toEqual([]);
    });

    test('a gateway that is killed leaves none of it after the next start', async () => {
      const first = await startGatewayProcess({ env: { SANDBOX }, keep: true });
      const { dataDir } = first;
      const { say, sessionId, token } = await openSession(first);
      await say('first');
      first.child.kill('SIGKILL');
      await first.exited;
      await using second = await startGatewayProcess({ env: { SANDBOX }, dataDir });
      await expect.poll(() => processesOf(sessionId), { timeout: 5000 }).toEqual([]);
      const answer = await second.run(token, { prompt: '@@history', session_id: sessionId });
      expect(answer.body).toMatchObject({ result: ['first'] });
    });

    test('a gateway that is stopped leaves none of it', async () => {
      const gateway = await startTestGateway({ env: { SANDBOX } });
      const { say, sessionId } = await openSession(gateway);
      await say('first');
      await gateway.close();
      expect(processesOf(sessionId)).toEqual([]);
    });
  },
);

test('an idle process goes when its time is over', async () => {
  await using gateway = await startTestGateway({ env: { SESSION_LIVE_SECS: '1' } });
  const { say, sessionId } = await openSession(gateway);
  await say('first');
  expect(processesOf(sessionId)).toHaveLength(1);
  await expect.poll(() => processesOf(sessionId), within).toEqual([]);
});

test('an idle process goes when memory is short and somebody waits', async () => {
  let freeBytes = 2 ** 40;
  await using gateway = await startTestGateway({ freeMemoryBytes: () => freeBytes });
  const { say, sessionId, token } = await openSession(gateway);
  await say('first');
  freeBytes = 0;
  const run = await gateway.submit(token, { prompt: 'waits' });
  await expect.poll(() => processesOf(sessionId), within).toEqual([]);
  freeBytes = 2 ** 40;
  expect(await gateway.ended(token, run)).toMatchObject({ outcome: 'completed' });
});
