// Real runs in a workspace, below the routes: the pinned CLI in its sandbox, asked for tools by the model stub.
import { chown, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { systemClock } from '#shared/clock.ts';
import { createLog } from '#shared/log.ts';

import { textReply, toolReply } from '../../cli/model-stub-reply.ts';
import { isRecord } from '../../cli/model-stub-request.ts';
import type { StubRequest } from '../../cli/model-stub-request.ts';
import { startModelStub } from '../../cli/model-stub.ts';
import { createClaudeLookup } from '../../gateway/claude/claude-installation.ts';
import { readClaudeVersion } from '../../gateway/claude/claude-version.ts';
import { createLoginDirectory } from '../../gateway/claude/login-directory.ts';
import { nothingPrepared } from '../../gateway/runs/prepared-runs.ts';
import { createRunWorker } from '../../gateway/runs/run-worker.ts';
import type { FinishedRun } from '../../gateway/runs/run-worker.ts';
import { probeSandbox } from '../../gateway/sandbox/sandbox-probe.ts';
import type { SandboxTier } from '../../gateway/sandbox/sandbox-tier.ts';
import type { WorkspaceMode } from '../../gateway/sandbox/workspace-mount.ts';
import { readWorkspaces } from '../../gateway/workspaces/workspace-file.ts';
import { projectDir } from './test-gateway.ts';

export type ToolCall = [name: string, input: Record<string, unknown>];
export type ToolResult = { isError: boolean; text: string };

export type WorkspaceRun = {
  finished: FinishedRun;
  /** What came of each call. */
  results: ToolResult[];
  /** Names of the tools that the model was offered. */
  tools: string[];
  /** Everything that the API was sent, without its headers, which carry the key. */
  sent: string;
};

export type WorkspaceWorld = AsyncDisposable & {
  /** The directory of the workspace. */
  path: string;
  dataDir: string;
  runsDir: string;
  run: (mode: WorkspaceMode, calls: ToolCall[], system?: string) => Promise<WorkspaceRun>;
};

export const apiKey = 'sk-canary-of-the-environment';
/** Whose the workspace is when the test is root's. */
export const ownerUid = 12_345;
const isRoot = process.getuid?.() === 0;

export async function createWorkspaceWorld(
  tier: SandboxTier,
  options: { login?: boolean } = {},
): Promise<WorkspaceWorld> {
  await using opened = new AsyncDisposableStack();
  const root = await mkdtemp(join(tmpdir(), 'gatehouse-workspace-'));
  opened.defer(() => rm(root, { recursive: true, force: true }));
  const [path, dataDir, runsDir] = ['notes', 'data', 'data/runs'].map((name) =>
    join(root, name),
  ) as [string, string, string];
  await mkdir(runsDir, { recursive: true, mode: 0o700 });
  await mkdir(path, { mode: 0o700 });
  if (isRoot) await chown(path, ownerUid, ownerUid);
  const place = { runsDir, path: process.env['PATH'] ?? '', isRoot, clock: systemClock };
  const { sandbox: probed } = await probeSandbox('require', place);
  const sandbox = { ...probed, tier };
  const claude = createClaudeLookup({
    ...{ bin: null, projectDir, path: place.path },
    readVersion: (program) => readClaudeVersion(program, { sandbox, runsDir, clock: systemClock }),
  });
  let calls: ToolCall[] = [];
  const model = opened.use(
    await startModelStub({
      reply: (_request, index) => {
        const call = calls[index];
        return call === undefined ? textReply('done') : toolReply(...call);
      },
    }),
  );
  const stagedDir = join(dataDir, 'login');
  const login = { configDir: root, stagedDir, runUid: sandbox.runUid, clock: systemClock };
  const worker = createRunWorker({
    prepared: nothingPrepared,
    ...{ sandbox, claude, runsDir, baseUrl: model.url, clock: systemClock },
    credential: {
      ...{ source: 'ANTHROPIC_API_KEY', configDir: null, unused: [], mend: '' },
      variables: options.login === true ? {} : { ANTHROPIC_API_KEY: apiKey },
    },
    login: options.login === true ? createLoginDirectory(login) : null,
    deadlines: { startMs: 60_000, idleMs: 120_000 },
    limits: { outputBytes: 2 ** 26, runDiskBytes: 2 ** 29, diskReserveBytes: 0 },
    log: createLog({ level: 'silent', service: 'test' }),
  });
  const file = join(root, 'workspaces.json');
  let runs = 0;
  const held = opened.move();
  return {
    ...{ path, dataDir, runsDir },
    async run(mode, wanted, system) {
      calls = wanted;
      model.calls.length = 0;
      model.requests.length = 0;
      runs += 1;
      await writeFile(file, JSON.stringify({ notes: { path, mode } }));
      const [workspace] = readWorkspaces({ file, isRoot, ground: [] });
      const finished = await worker.work({
        runId: `run_${runs}`,
        admitted: {
          claude: {
            ...{ prompt: 'hello', model: 'sonnet', system: system ?? null },
            ...{ effort: null, jsonSchema: null },
          },
          session: null,
          profile: { maxTurns: null, maxBudgetUsd: null },
          ...{ timeoutMs: 240_000, promptBytes: 5, metadata: {} },
        },
        workspace: workspace ?? null,
        stop: new AbortController().signal,
      });
      return {
        finished,
        results: model.calls.slice(1).map(resultIn),
        tools: toolsIn(model.calls[0]),
        sent: model.requests.map(({ rawBody }) => rawBody.toString()).join('\n'),
      };
    },
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}

function toolsIn(request: StubRequest | undefined): string[] {
  const tools = request?.body?.['tools'];
  if (!Array.isArray(tools)) return [];
  return tools.map((tool: unknown) => (isRecord(tool) ? String(tool['name']) : ''));
}

/** The tool's answer to the call before. */
function resultIn({ body }: StubRequest): ToolResult {
  const messages: unknown[] = Array.isArray(body?.['messages']) ? body['messages'] : [];
  const blocks = messages
    .filter((message) => isRecord(message))
    .flatMap(({ content }) => (Array.isArray(content) ? content : []) as unknown[])
    .filter((block) => isRecord(block) && block['type'] === 'tool_result');
  const last = blocks.at(-1);
  if (!isRecord(last)) throw new Error('the model was told nothing of its tool');
  const { content } = last;
  const text = typeof content === 'string' ? content : JSON.stringify(content);
  return { isError: last['is_error'] === true, text };
}
