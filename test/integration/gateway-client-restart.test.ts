// The typed client over a gateway that is killed or told to stop, and comes back.
import { join } from 'node:path';

import { describe, expect, test, vi } from 'vitest';

import { failureOf } from '../support/client-failure.ts';
import { startClientWorld } from '../support/client-world.ts';
import { followEvents, numbersOf, typesOf } from '../support/event-follower.ts';
import { startGatewayProcess } from '../support/gateway-process.ts';
import type { GatewayProcess } from '../support/gateway-process.ts';
import { expectNothingLeft } from '../support/leak-check.ts';
import { letGo, untilHeld, waitForGo } from '../support/run-latch.ts';

// Two starts of a process each.
vi.setConfig({ testTimeout: 90_000 });

const env = { GATEWAY_CONCURRENCY: '1', SHUTDOWN_GRACE_SECS: '1' };
const runsDirOf = ({ dataDir }: GatewayProcess): string => join(dataDir, 'runs');

/** As its operator's supervisor does it. */
function startAgain({ dataDir }: GatewayProcess): Promise<GatewayProcess> {
  return startGatewayProcess({ env, dataDir });
}

function rising(count: number): number[] {
  return Array.from({ length: count }, (_each, index) => index + 1);
}

describe('when the gateway is killed in the middle of a run', () => {
  test('that is to be retried, its events go on: what was said before is taken back, nothing comes twice', async () => {
    await using killed = await startGatewayProcess({ env, keep: true });
    await using world = await startClientWorld(killed);
    const prompt = `${world.counted}\n@@print 0.001\n${waitForGo}\nhello`;
    const reader = followEvents(world.app.stream({ prompt, on_interrupt: 'retry' }));
    await reader.untilSeen('message.delta');
    await untilHeld(runsDirOf(killed), 1);
    killed.child.kill('SIGKILL');
    await killed.exited;

    await using gateway = await startAgain(killed);
    world.proxy.pointTo(gateway.url);
    await reader.untilSeen('retry');
    await untilHeld(runsDirOf(gateway), 1);
    letGo(runsDirOf(gateway));
    const events = await reader.ended;
    expect(numbersOf(events)).toEqual(rising(events.length));
    expect(typesOf(events).filter((type) => type === 'run.started')).toHaveLength(2);
    const superseded = events.flatMap((event) =>
      event.type === 'retry' ? event.data.superseded : [],
    );
    expect(superseded).toEqual([1]);
    expect(events.at(-1)).toMatchObject({ type: 'run.completed', data: { ok: true } });
    expect(world.starts()).toBe(2);
    await expectNothingLeft(gateway.dataDir);
  });

  test('that is not to be retried, it ends as interrupted, in its events and for whoever waits', async () => {
    await using killed = await startGatewayProcess({ env, keep: true });
    await using world = await startClientWorld(killed);
    const prompt = `${world.counted}\n${waitForGo}\nhello`;
    const idempotencyKey = 'the-key';
    const answer = failureOf(world.app.run({ prompt }, { idempotencyKey }));
    const [runId = ''] = await untilHeld(runsDirOf(killed), 1);
    const reader = followEvents(world.app.events(runId));
    await reader.untilSeen('run.started');
    killed.child.kill('SIGKILL');
    await killed.exited;

    await using gateway = await startAgain(killed);
    world.proxy.pointTo(gateway.url);
    expect(await answer).toMatchObject({
      code: 'interrupted',
      status: 503,
      retryable: true,
      runId,
    });
    const events = await reader.ended;
    expect(typesOf(events)).toEqual(['run.queued', 'run.started', 'run.failed']);
    expect(await world.app.waitFor(runId)).toMatchObject({ outcome: 'interrupted' });
    expect(world.starts()).toBe(1);
  });
});

test('a run that is asked for with POST /run and retried over a kill is answered once', async () => {
  await using killed = await startGatewayProcess({ env, keep: true });
  await using world = await startClientWorld(killed);
  const answer = world.app.run({ prompt: `${waitForGo}\nhello`, on_interrupt: 'retry' });
  await untilHeld(runsDirOf(killed), 1);
  killed.child.kill('SIGKILL');
  await killed.exited;
  await using gateway = await startAgain(killed);
  world.proxy.pointTo(gateway.url);
  await untilHeld(runsDirOf(gateway), 1);
  letGo(runsDirOf(gateway));
  expect(await answer).toMatchObject({ ok: true, result: 'hello' });
  expect((await gateway.audit('?action=run')).length).toBe(1);
});

test('when the gateway is told to stop, what waits is done after its next start, and whoever waits for it sees that', async () => {
  await using stopped = await startGatewayProcess({ env, keep: true });
  await using world = await startClientWorld(stopped);
  const held = world.app.submit({ prompt: waitForGo, on_interrupt: 'retry' });
  const { run_id: heldId } = await held;
  await untilHeld(runsDirOf(stopped), 1);
  const answer = world.app.run({ prompt: `${world.counted}\nwaited` });
  const { run_id: runId } = await world.app.submit({ prompt: `${world.counted}\nwatched` });
  const reader = followEvents(world.app.events(runId));
  const ended = world.app.waitFor(runId);
  await reader.untilSeen('run.queued');
  stopped.child.kill('SIGTERM');
  await expect.poll(() => stopped.stdout()).toContain('"msg":"stopping"');
  // Refused while it stops, and repeated until it is there again.
  const late = world.app.submit({ prompt: `${world.counted}\nlate` });
  expect(await stopped.exited).toEqual([0, null]);

  await using gateway = await startAgain(stopped);
  world.proxy.pointTo(gateway.url);
  await untilHeld(runsDirOf(gateway), 1);
  letGo(runsDirOf(gateway));
  expect((await answer).result).toBe('waited');
  const events = await reader.ended;
  expect(numbersOf(events)).toEqual(rising(events.length));
  expect(typesOf(events)).not.toContain('server.shutdown');
  expect(events.at(-1)).toMatchObject({ type: 'run.completed', data: { result: 'watched' } });
  expect(await ended).toMatchObject({ outcome: 'completed', result: 'watched' });
  expect(await world.app.waitFor((await late).run_id)).toMatchObject({ result: 'late' });
  expect(await world.app.waitFor(heldId)).toMatchObject({ outcome: 'completed', attempt: 2 });
  expect(world.starts()).toBe(3);
  await expectNothingLeft(gateway.dataDir);
});
