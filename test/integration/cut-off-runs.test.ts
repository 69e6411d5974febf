// Runs that a crash cut off are told of like any other run: in the log, and in the metrics.
import { expect, test } from 'vitest';

import { startGatewayProcess } from '../support/gateway-process.ts';

test('a run that was under way when its gateway was killed has its log line and is counted', async () => {
  const first = await startGatewayProcess({ keep: true });
  const { dataDir } = first;
  const token = await first.mint('app');
  const run = await first.submit(token, { prompt: '@@init-then-silence' });
  await expect
    .poll(async () => (await first.as(token, `/runs/${run}`)).body.status, { timeout: 20_000 })
    .toBe('running');
  first.child.kill('SIGKILL');
  await first.exited;
  await using second = await startGatewayProcess({ dataDir });
  const lines = second
    .stdout()
    .split('\n')
    .filter((line) => line.includes('"run ended"'));
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([
    { run_id: run, app: 'app', address: '127.0.0.1', outcome: 'interrupted' },
  ]);
  const metrics = await second.admin('/metrics');
  expect(metrics.text).toMatch(
    /gatehouse_runs_total\{[^}]*app="app"[^}]*outcome="interrupted"[^}]*\} 1\n/,
  );
});
