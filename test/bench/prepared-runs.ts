// Runs in prepared processes, sandboxed, with the real CLI and a model that answers at once, against `claude -p --tools ""`.
import { setTimeout as sleep } from 'node:timers/promises';

import { request } from 'undici';

import { realClaude } from '../support/claude-conversation.ts';
import { processorTicksBelow } from '../support/process-facts.ts';
import { benchApiKey, benchModel, benchPrompt } from './bare-claude.ts';
import { startBenchGateway } from './bench-gateway.ts';
import type { BenchGateway } from './bench-gateway.ts';
import { interleave } from './interleave.ts';
import { describeMs, median } from './statistics.ts';
import { startStubProcess } from './stub-process.ts';
import { ratioRow } from './table.ts';
import type { Row } from './table.ts';
import { typeClaude, typeClaudeToFirstToken } from './typed-claude.ts';

const rounds = 15;
const burstRounds = 5;
const burst = 8;
const concurrency = 2;
const body = { prompt: benchPrompt, model: benchModel };

export async function measurePreparedRuns(): Promise<Row[]> {
  await using stub = await startStubProcess();
  await using gateway = await startBenchGateway({
    ...{ CLAUDE_BIN: realClaude, ANTHROPIC_BASE_URL: stub.url, ANTHROPIC_API_KEY: benchApiKey },
    ...{ SANDBOX: 'require', GATEWAY_CONCURRENCY: String(concurrency), PREPARED_RUNS: '1' },
  });
  return [
    await measureOne(gateway, stub.url),
    await measureFirstToken(gateway, stub.url),
    await measureBurst(gateway, stub.url),
    await measureNextTurn(gateway, stub.url),
  ];
}

async function measureOne(gateway: BenchGateway, url: string): Promise<Row> {
  const { ours, baseline } = await interleave(
    {
      ours: async () => {
        await untilPrepared(gateway);
        return gateway.run(body);
      },
      baseline: async () => {
        await untilPrepared(gateway);
        return typeClaude(url);
      },
    },
    { rounds, warmUp: 2 },
  );
  const name = 'POST /run on a prepared process, sandbox, real CLI';
  return row(name, { ours, baseline }, 0.3, await gateway.phases(ours));
}

async function measureFirstToken(gateway: BenchGateway, url: string): Promise<Row> {
  const { ours, baseline } = await interleave(
    {
      ours: async () => {
        await untilPrepared(gateway);
        return timeToFirstToken(gateway);
      },
      baseline: async () => {
        await untilPrepared(gateway);
        return typeClaudeToFirstToken(url);
      },
    },
    { rounds, warmUp: 2 },
  );
  const name = 'first token of a stream, prepared process';
  return row(name, { ours, baseline }, 0.3, await gateway.phases(ours));
}

async function measureNextTurn(gateway: BenchGateway, url: string): Promise<Row> {
  const { process, token } = gateway;
  const made = await process.as(token, '/sessions', { body: { model: benchModel } });
  const turn = { prompt: benchPrompt, session_id: made.body.session_id };
  await gateway.run(turn);
  const { ours, baseline } = await interleave(
    {
      ours: async () => {
        await untilPrepared(gateway);
        return gateway.run(turn);
      },
      baseline: async () => {
        await untilPrepared(gateway);
        return typeClaude(url);
      },
    },
    { rounds, warmUp: 2 },
  );
  const name = 'next turn of a live session, sandbox, real CLI';
  return row(name, { ours, baseline }, 0.12, await gateway.phases(ours));
}

async function measureBurst(gateway: BenchGateway, url: string): Promise<Row> {
  const { ours, baseline } = await interleave(
    {
      ours: async () => {
        await untilPrepared(gateway);
        return elapsed(() => Promise.all(Array.from({ length: burst }, () => gateway.run(body))));
      },
      baseline: async () => {
        await untilPrepared(gateway);
        return elapsed(() => twoAtATime(() => typeClaude(url)));
      },
    },
    { rounds: burstRounds, warmUp: 1 },
  );
  const name = `${burst} runs at once, ${concurrency} at a time`;
  return row(name, { ours, baseline }, 1, []);
}

function row(
  name: string,
  { ours, baseline }: { ours: number[]; baseline: number[] },
  atMost: number,
  phases: string[],
): Row {
  return {
    ...ratioRow(name, { ours: median(ours), baseline: median(baseline) }, { atMost }),
    ours: describeMs(ours),
    baseline: describeMs(baseline),
    samples: ours.length,
    phases,
  };
}

/** A process that has been prepared just now is still starting: it waits when it does nothing for so long. */
const idleMs = 300;

async function untilPrepared({ process: gateway }: BenchGateway): Promise<void> {
  const giveUpAt = performance.now() + 60_000;
  while (!/^gatehouse_prepared_runs 1$/m.test((await gateway.admin('/metrics')).text)) {
    if (performance.now() > giveUpAt) throw new Error('no run is prepared');
    await sleep(50);
  }
  for (let before = -1, now = 0; now !== before;) {
    before = now;
    await sleep(idleMs);
    now = processorTicksBelow(gateway.child.pid ?? 0);
  }
}

async function timeToFirstToken({ process: gateway, token }: BenchGateway): Promise<number> {
  const startedAt = performance.now();
  const answer = await request(`${gateway.url}/run`, {
    method: 'POST',
    headers: {
      ...{ authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      accept: 'text/event-stream',
    },
    body: JSON.stringify(body),
  });
  let text = '';
  let tookMs: number | null = null;
  for await (const chunk of answer.body) {
    text += String(chunk);
    if (tookMs === null && text.includes('event: message.delta')) {
      tookMs = performance.now() - startedAt;
    }
  }
  if (tookMs === null || !text.includes('event: run.completed')) {
    throw new Error(`a stream failed: ${text}`);
  }
  return tookMs;
}

async function elapsed(act: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await act();
  return performance.now() - startedAt;
}

async function twoAtATime(act: () => Promise<unknown>): Promise<void> {
  let left = burst;
  const worker = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      await act();
    }
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
}
