// What another user of the host can see of a run that is under way: command lines and environments in /proc.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

import { expect, it } from 'vitest';

import { hangReply } from '../../cli/model-stub-reply.ts';
import { startModelGateway } from '../support/model-gateway.ts';

type Seen = { pid: number; name: string; commandLine: string; variables: Record<string, string> };

/** Every process that carries the marker of this run. */
function processesOf(runId: string): Seen[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => look(Number(name)))
    .filter((each) => each?.variables['GATEHOUSE_RUN'] === runId)
    .filter((each) => each !== null);
}

function look(pid: number): Seen | null {
  try {
    const environment = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').filter(Boolean);
    return {
      pid,
      name: readFileSync(`/proc/${pid}/comm`, 'utf8').trim(),
      commandLine: readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' '),
      variables: Object.fromEntries(
        environment.map((entry): [string, string] => {
          const at = entry.indexOf('=');
          return [entry.slice(0, at), entry.slice(at + 1)];
        }),
      ),
    };
  } catch {
    return null;
  }
}

it('a run shows neither what it was asked nor a secret, and gets no variable but its own', async () => {
  const apiKey = 'sk-test-key-of-this-run';
  const asked = Promise.withResolvers<void>();
  await using gateway = await startModelGateway({ ANTHROPIC_API_KEY: apiKey });
  process.env['GATEWAY_SECRET_OF_THE_HOST'] = 'inherited-by-nobody';
  const leave = new AbortController();
  const answer = gateway.ask(
    () => {
      asked.resolve();
      return hangReply('no_headers');
    },
    {
      ...{ prompt: 'prompt-canary', system: 'system-canary', metadata: { m: 'metadata-canary' } },
      ...{ max_turns: 7, max_budget_usd: 1.5, effort: 'low' },
      json_schema: { type: 'object', properties: { 'schema-canary': { type: 'string' } } },
    },
    leave.signal,
  );
  await asked.promise;
  const runId = (await gateway.runDirectories())[0] ?? '';
  const processes = processesOf(runId);
  delete process.env['GATEWAY_SECRET_OF_THE_HOST'];

  const claude = processes.find(({ commandLine }) => commandLine.includes('--max-turns=7'));
  expect(processes.map(({ name }) => name)).toContain('bwrap');
  expect(processes.length).toBeGreaterThanOrEqual(2);
  expect(processes.filter(({ name }) => name === 'claude')).toHaveLength(1);
  expect(claude?.commandLine).toContain('--max-budget-usd=1.5');
  for (const { commandLine } of processes) {
    expect(commandLine).not.toMatch(/canary|sk-test|admin-token/);
  }
  for (const { variables } of processes) {
    const { PWD: _setByBwrap, ...ours } = variables;
    expect(Object.keys(ours).toSorted()).toEqual([
      ...['ANTHROPIC_API_KEY', 'ANTHROPIC_BASE_URL', 'CLAUDE_CODE_DISABLE_ATTACHMENTS'],
      ...['CLAUDE_CODE_DISABLE_BACKGROUND_TASKS', 'CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC'],
      ...['CLAUDE_CODE_DISABLE_NONSTREAMING_FALLBACK', 'CLAUDE_CODE_MAX_RETRIES'],
      ...['CLAUDE_CODE_RETRY_WATCHDOG', 'DISABLE_AUTOUPDATER', 'GATEHOUSE_RUN', 'HOME', 'LANG'],
      ...['PATH', 'TMPDIR'],
    ]);
    expect(variables).toMatchObject({ HOME: '/home/run', TMPDIR: '/tmp' });
  }

  const namespaces = new Set(processes.map(({ pid }) => readlinkSync(`/proc/${pid}/ns/pid`)));
  leave.abort();
  await expect(answer).rejects.toThrow('aborted');
  await expect.poll(() => processesOf(runId).map(({ name }) => name)).toEqual([]);
  // Ours with the outermost bwrap, the run's, and under root that of the staging bwrap between them.
  expect(namespaces.size).toBe(process.getuid?.() === 0 ? 3 : 2);
});
