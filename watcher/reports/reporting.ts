// Tells the vault how this host, its gateway and its agents are: every few seconds, and when something changes.
import type { Clock } from '#shared/clock.ts';
import { GatewayError } from '#shared/gateway-client-error.ts';
import type { GatewayClient } from '#shared/gateway-client.ts';
import type { Log } from '#shared/log.ts';
import type { VaultClient } from '#shared/vault-client.ts';

import type { AgentRoster } from '../agent-roster.ts';
import type { AnsweringLine } from '../answering/answering-line.ts';
import type { EventIntake } from '../intake/event-intake.ts';
import type { Journal } from '../journal/journal.ts';
import { hostFacts } from './host-facts.ts';

export type ReportingParts = {
  vault: Pick<VaultClient, 'reportHost' | 'reportAgent'>;
  gateway: Pick<GatewayClient, 'health' | 'me'>;
  journal: Pick<Journal, 'counts'>;
  roster: AgentRoster;
  line: Pick<AnsweringLine, 'working'>;
  intake: Pick<EventIntake, 'state'>;
  hostName: string;
  dataDir: string;
  version: string;
  clock: Clock;
  log: Log;
};

const lookMs = 500;
const againMs = 5000;
const gatewayAnswerMs = 3000;

export async function keepReporting(parts: ReportingParts, signal: AbortSignal): Promise<void> {
  const { clock, log } = parts;
  let told = '';
  let toldAt = Number.NEGATIVE_INFINITY;
  while (!signal.aborted) {
    const working = parts.line.working();
    const now = [...working].toSorted().join(' ') + parts.roster.all().length;
    if (now !== told || clock.monotonicMs() - toldAt >= againMs) {
      [told, toldAt] = [now, clock.monotonicMs()];
      await report(parts, working, signal).catch((err: unknown) => {
        if (!signal.aborted) log.debug({ err }, 'the vault was not told how things are');
      });
    }
    await clock.sleep(lookMs, signal).catch(() => {});
  }
  await sayGoodbye(parts);
}

async function report(
  parts: ReportingParts,
  working: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<void> {
  const gateway = await gatewayFacts(parts, signal);
  for (const { agentId } of parts.roster.all()) {
    const status =
      gateway['health'] !== 'ok' ? 'error' : working.has(agentId) ? 'working' : 'online';
    const text = gateway['health'] === 'ok' ? null : String(gateway['reason']);
    await parts.vault.reportAgent(agentId, { status, status_text: text }, { signal });
  }
  const { open, dead } = parts.journal.counts();
  await parts.vault.reportHost(
    parts.hostName,
    {
      health: gateway['health'] === 'ok' ? 'ok' : 'degraded',
      gateway,
      watcher: {
        version: parts.version,
        feed: parts.intake.state(),
        open_messages: open,
        dead_letters: dead,
      },
      host: await hostFacts(parts.dataDir),
    },
    { signal },
  );
}

async function gatewayFacts(
  { gateway }: ReportingParts,
  signal: AbortSignal,
): Promise<Record<string, unknown>> {
  // The client would go on asking a gateway that is away, and nobody would be told.
  const within = { signal: AbortSignal.any([signal, AbortSignal.timeout(gatewayAnswerMs)]) };
  try {
    const { claude_version, authenticated, sandbox, claude_present } = await gateway.health(within);
    const { gateway_version: version, ...self } = await gateway.me(within);
    const { queue, subscription, usage_24h, limits } = self;
    const facts = {
      version,
      claude_version,
      authenticated,
      sandbox,
      queue,
      subscription,
      usage_24h,
      limits,
    };
    if (!claude_present) return { health: 'error', reason: 'the gateway has no claude', ...facts };
    if (authenticated === false)
      return { health: 'error', reason: 'the gateway is not signed in', ...facts };
    return { health: 'ok', ...facts };
  } catch (err) {
    signal.throwIfAborted();
    const isSilent = err instanceof GatewayError && err.status === null;
    if (isSilent || within.signal.aborted) {
      return { health: 'error', reason: 'the gateway does not answer' };
    }
    const reason = err instanceof Error ? err.message : String(err);
    return { health: 'error', reason: `the gateway cannot be asked: ${reason}` };
  }
}

/** Nobody is there any more; without it the vault finds that out by itself, a minute later. */
async function sayGoodbye({ vault, roster }: ReportingParts): Promise<void> {
  const status = { status: 'offline', status_text: 'its watcher was stopped' } as const;
  const signal = AbortSignal.timeout(2000);
  const all = roster.all().map(({ agentId }) => vault.reportAgent(agentId, status, { signal }));
  await Promise.allSettled(all);
}
