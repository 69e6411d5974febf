// `POST /run` with the real CLI and a model that answers at once, against the CLI alone.
import { realClaude } from '../support/claude-conversation.ts';
import { benchApiKey, benchModel, benchPrompt, runBareClaude } from './bare-claude.ts';
import { startBenchGateway } from './bench-gateway.ts';
import type { BenchGateway } from './bench-gateway.ts';
import { interleave } from './interleave.ts';
import { describeMs, median } from './statistics.ts';
import { startStubProcess } from './stub-process.ts';
import { ratioRow } from './table.ts';
import type { Row } from './table.ts';

const rounds = 25;
const body = { prompt: benchPrompt, model: benchModel };

export async function measureRunOverhead(): Promise<Row[]> {
  await using stub = await startStubProcess();
  await using open = await startBenchGateway(environment(stub.url, 'none'));
  await using boxed = await startBenchGateway(environment(stub.url, 'require'));
  const samples = await interleave(
    {
      bare: () => runBareClaude(realClaude, stub.url),
      open: () => open.run(body),
      boxed: () => boxed.run(body),
    },
    { rounds, warmUp: 2 },
  );
  const row = async (name: string, ours: number[], gateway: BenchGateway, atMost: number) => ({
    ...ratioRow(name, { ours: median(ours), baseline: median(samples.bare) }, { atMost }),
    ours: describeMs(ours),
    baseline: describeMs(samples.bare),
    samples: rounds,
    phases: await gateway.phases(ours),
  });
  return [
    await row('POST /run, no sandbox, real CLI', samples.open, open, 1.05),
    await row('POST /run, sandbox, real CLI', samples.boxed, boxed, 1.15),
  ];
}

function environment(baseUrl: string, sandbox: string): Record<string, string> {
  return {
    CLAUDE_BIN: realClaude,
    ANTHROPIC_BASE_URL: baseUrl,
    ANTHROPIC_API_KEY: benchApiKey,
    SANDBOX: sandbox,
  };
}
