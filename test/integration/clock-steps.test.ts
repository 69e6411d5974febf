// The wall clock is set while the gateway works: nothing ends too early or never, and everything keeps its order.
import { describe, expect, test, vi } from 'vitest';

import { gatherFacts } from '../support/gateway-facts.ts';
import { violationsOf } from '../support/invariants.ts';
import { startCheckedGateway } from '../support/leak-check.ts';
import { letGo, untilHeld, waitForGo } from '../support/run-latch.ts';
import { post, submit, untilEnded } from '../support/run-requests.ts';
import { createSteppingClock } from '../support/stepping-clock.ts';
import { readToEnd } from '../support/stream-reading.ts';

vi.setConfig({ testTimeout: 60_000, expect: { poll: { timeout: 15_000 } } });

const hourMs = 3_600_000;
const minuteMs = 60_000;
const held = `${waitForGo}\nheld`;

async function startWorld(env: Record<string, string> = {}) {
  const clock = createSteppingClock();
  const gateway = await startCheckedGateway({ clock, env });
  const token = await gateway.mint('app');
  return { gateway, token, clock, [Symbol.asyncDispose]: gateway[Symbol.asyncDispose] };
}

describe.each([
  { change: 'an hour forward', stepMs: hourMs },
  { change: 'an hour back', stepMs: -hourMs },
])('when the clock is set $change', ({ stepMs }) => {
  test('a run under way and one that waits are done, with durations that make sense', async () => {
    await using world = await startWorld({ GATEWAY_CONCURRENCY: '1' });
    const { gateway, token, clock } = world;
    const running = gateway.run(token, { prompt: held, timeout_secs: 60 });
    await untilHeld(gateway.runsDir, 1);
    const { run_id: runId } = (await submit(gateway, token, { prompt: 'waited' })).body;
    clock.step(stepMs);
    // Somebody who waits for it is not sent away before it has ended.
    const ended = untilEnded(gateway, token, runId);
    letGo(gateway.runsDir);
    const { status, body } = await running;
    expect([status, body.result]).toEqual([200, 'held']);
    expect(await ended).toMatchObject({ status: 'ended', result: 'waited' });
    for (const { details } of await gateway.audit('?action=run')) {
      expect(Math.min(details.queue_ms, details.duration_ms)).toBeGreaterThanOrEqual(0);
      expect(Math.max(details.queue_ms, details.duration_ms)).toBeLessThan(minuteMs);
    }
  });

  test('runs that are too slow and questions that wait end in their time', async () => {
    await using world = await startWorld({ RUN_IDLE_SECS: '3' });
    const { gateway, token, clock } = world;
    const { run_id: silent } = (await submit(gateway, token, { prompt: `@@init\n${held}` })).body;
    await untilHeld(gateway.runsDir, 1);
    const slow = gateway.run(token, { prompt: held, timeout_secs: 2 });
    await expect.poll(() => gateway.gateway.engine.runs.underWay()).toBe(2);
    const headers = { authorization: `Bearer ${token}` };
    const asked = gateway.fetch(`/runs/${silent}?wait=1`, { headers });
    clock.step(stepMs);
    expect((await asked).status).toBe(200);
    expect(await slow).toMatchObject({ status: 504, body: { error: { code: 'timeout_total' } } });
    expect(await untilEnded(gateway, token, silent)).toMatchObject({ outcome: 'timeout_idle' });
  });

  test('a run that goes on talking is not ended, and its reader stays and gets it all', async () => {
    await using world = await startWorld({ RUN_IDLE_SECS: '3' });
    const { gateway, token, clock } = world;
    // For longer than the time between two looks at the deadlines, or at the readers.
    const talk = '@@print 0.0005\n@@sleep 600\n'.repeat(6);
    const prompt = `@@init\n${waitForGo}\n${talk}said late`;
    const { run_id: runId } = (await submit(gateway, token, { prompt })).body;
    const headers = { authorization: `Bearer ${token}` };
    const reading = readToEnd(`${gateway.url}/runs/${runId}/events`, { headers });
    await untilHeld(gateway.runsDir, 1);
    clock.step(stepMs);
    letGo(gateway.runsDir);
    const { events, isWhole } = await reading;
    expect(isWhole).toBe(true);
    expect(events.map(({ id }) => id)).toEqual(events.map((_, index) => index + 1));
    expect(events.at(-1)).toMatchObject({ type: 'run.completed', data: { result: 'said late' } });
    expect(gateway.logged().map(({ msg }) => msg)).not.toContain('event reader dropped');
  });

  test('an Idempotency-Key still gives its first answer', async () => {
    await using world = await startWorld();
    const { gateway, token, clock } = world;
    const request = post(token, { prompt: 'hello' }, { 'idempotency-key': 'k' });
    const first = await gateway.fetch('/run', request);
    clock.step(stepMs);
    const again = await gateway.fetch('/run', request);
    expect([again.status, again.text]).toEqual([200, first.text]);
    expect(again.headers.get('idempotent-replayed')).toBe('true');
  });
});

test('after a failed sign-in the next run may not try before its time when the clock is set forward', async () => {
  await using world = await startWorld({ AUTH_RETRY_SECS: '600' });
  const { gateway, token, clock } = world;
  await gateway.run(token, { prompt: '@@error 401' });
  clock.step(hourMs);
  const next = await gateway.run(token, { prompt: 'hello' });
  expect(next).toMatchObject({ status: 503, body: { error: { code: 'auth' } } });
});

test('after a failed sign-in the next run may try in its time when the clock is set back', async () => {
  await using world = await startWorld({ AUTH_RETRY_SECS: '0.2' });
  const { gateway, token, clock } = world;
  await gateway.run(token, { prompt: '@@error 401' });
  clock.step(-hourMs);
  const next = async () => (await gateway.run(token, { prompt: 'hello' })).status;
  await expect.poll(next).toBe(200);
});

test('runs and audit rows are listed in the order in which they came, whatever the clock said', async () => {
  await using world = await startWorld();
  const { gateway, token, clock } = world;
  for (const [says, stepMs] of Object.entries({ first: -hourMs, second: 2 * hourMs, third: 0 })) {
    await gateway.run(token, { prompt: says, metadata: { says } });
    clock.step(stepMs);
  }
  clock.step(-hourMs);
  await gateway.run(token, { prompt: 'fourth', metadata: { says: 'fourth' } });
  const newestFirst = ['fourth', 'third', 'second', 'first'];

  const rows = await gateway.audit('?action=run');
  expect(rows.map(({ prompt }) => prompt)).toEqual(newestFirst);
  const times = rows.map(({ at }) => Date.parse(at));
  expect(times).not.toEqual(times.toSorted((one, other) => other - one));
  expect(await allPages(`/admin/audit?action=run&limit=1`, gateway.admin)).toEqual(rows);

  const headers = { authorization: `Bearer ${token}` };
  const runs = await allPages('/runs?limit=1', (path) => gateway.fetch(path, { headers }));
  expect(runs.map(({ metadata }) => metadata.says)).toEqual(newestFirst);

  const { dataDir } = gateway;
  const facts = await gatherFacts({ dataDir, executions: [], concurrency: 2 });
  expect(violationsOf(facts)).toEqual([]);
});

type Page = { body: { items: unknown[]; next: string | null } };

async function allPages(path: string, get: (path: string) => Promise<Page>) {
  // oxlint-disable-next-line typescript/no-explicit-any -- a test looks at what came, whatever it is
  const items: any[] = [];
  for (let after = ''; ;) {
    const { body } = await get(`${path}${after}`);
    items.push(...body.items);
    if (body.next === null) return items;
    after = `&after=${body.next}`;
  }
}
