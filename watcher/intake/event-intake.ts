// What the vault has for the watcher's agents: by its stream, and by asking every so often while the stream is away. Changing between
// the two loses nothing and repeats nothing: both go on from the cursor, which moves only with what is stored.
import type { Clock } from '#shared/clock.ts';
import type { Log } from '#shared/log.ts';
import { VaultError } from '#shared/vault-client-error.ts';
import type { VaultClient } from '#shared/vault-client.ts';
import type { EventView } from '#shared/vault-event-api.ts';

import type { AgentRoster } from '../agent-roster.ts';
import type { Journal, Taken } from '../journal/journal.ts';

/** Whether the vault was heard of lately, and how; `stalled`: it was, but what it has cannot be stored here. */
export type IntakeState = 'stream' | 'polling' | 'away' | 'stalled';

export type EventIntake = {
  state: () => IntakeState;
  run: (signal: AbortSignal) => Promise<void>;
};

export type EventIntakeParts = {
  vault: Pick<VaultClient, 'stream' | 'eventsSince' | 'newestEvent'>;
  journal: Pick<Journal, 'cursor' | 'take'>;
  roster: AgentRoster;
  onTaken: (taken: Taken) => void;
  isPushed: boolean;
  pollMs: number;
  firstStart: 'now' | 'all';
  clock: Clock;
  log: Log;
  /** From 0 to below 1. */
  random: () => number;
};

const complaints = {
  away: 'the vault does not answer',
  stalled: 'what the vault has cannot be stored here',
};
const relevantTypes = ['user_message', 'cancel_request'];
const streamRetryMs = 1000;
const streamRetryMaxMs = 30_000;
const goodStreamMs = 10_000;
const pageSize = 200;
const rosterRefreshMs = 30_000;

export function createEventIntake(parts: EventIntakeParts): EventIntake {
  const { vault, journal, roster, clock, log } = parts;
  let state: IntakeState = 'away';
  /** The log is told once each time, the first start included. */
  let hasComplained = false;

  const heard = (how: 'stream' | 'polling'): void => {
    state = how;
    hasComplained = false;
  };
  const take = async (events: readonly EventView[], upTo: number): Promise<void> => {
    parts.onTaken(await journal.take(events, upTo));
  };
  /** Where to begin when there was no watcher before. */
  const findStart = async (signal: AbortSignal): Promise<number> => {
    await roster.refresh(signal);
    if (parts.firstStart === 'all') return 0;
    let newest = 0;
    for (const { agentId } of roster.all()) {
      newest = Math.max(newest, (await vault.newestEvent(agentId, { signal }))?.seq ?? 0);
    }
    log.info(
      { after: newest },
      'first start: messages before this event are not answered (WATCHER_FIRST_START)',
    );
    return newest;
  };
  const cursorOf = async (signal: AbortSignal): Promise<number> => {
    const known = journal.cursor();
    if (known !== null) return known;
    const start = await findStart(signal);
    await take([], start);
    return start;
  };
  /** Everything that is new, of all agents, in order. Throws what the client throws. */
  const poll = async (signal: AbortSignal): Promise<void> => {
    const since = await cursorOf(signal);
    const asked = roster.all();
    const pages = await Promise.all(
      asked.map(({ agentId }) =>
        vault.eventsSince(agentId, since, { types: relevantTypes, limit: pageSize, signal }),
      ),
    );
    if (pages.some((page) => page.events.length > 0)) {
      // An agent that was made meanwhile may have been told something before the last of these.
      const known = new Set(asked.map(({ agentId }) => agentId));
      await roster.refresh(signal);
      if (roster.all().some(({ agentId }) => !known.has(agentId))) return poll(signal);
    }
    // A feed that has more than its page holds is read up to there; what others have behind it comes with the next page.
    const ends = pages.flatMap(({ events, isWhole }) =>
      isWhole ? [] : [events.at(-1)?.seq ?? since],
    );
    const upTo = Math.min(...ends, Number.MAX_SAFE_INTEGER);
    const events = pages.flatMap((page) => page.events).filter(({ seq }) => seq <= upTo);
    const sorted = events.toSorted((a, b) => a.seq - b.seq);
    const last = sorted.at(-1);
    if (last !== undefined) await take(sorted, last.seq);
    heard('polling');
    if (ends.length > 0) await poll(signal);
  };
  /** Throws when it breaks. */
  const followStream = async (signal: AbortSignal): Promise<void> => {
    // What was missed comes quicker in pages than one by one.
    await poll(signal);
    const after = await cursorOf(signal);
    for await (const event of vault.stream({ after, signal, onOpen: () => heard('stream') })) {
      if (event.event_type.startsWith('agent_')) await roster.refresh(signal);
      if (relevantTypes.includes(event.event_type)) await take([event], event.seq);
    }
  };
  return {
    state: () => state,
    async run(signal) {
      let delayMs = streamRetryMs;
      let streamAt = parts.isPushed ? 0 : Number.POSITIVE_INFINITY;
      let refreshAt = 0;
      while (!signal.aborted) {
        const now = clock.monotonicMs();
        try {
          // The stream tells of new agents; without it they are asked for.
          if (now >= refreshAt || roster.all().length === 0) {
            await roster.refresh(signal);
            refreshAt = now + rosterRefreshMs;
          }
          if (now >= streamAt) {
            await followStream(signal);
            // A vault that stops well is back soon.
            streamAt = clock.monotonicMs() + streamRetryMs * (0.5 + parts.random());
          } else {
            await poll(signal);
          }
        } catch (err) {
          if (signal.aborted) return;
          const trouble = err instanceof VaultError ? 'away' : 'stalled';
          if (!hasComplained || state !== trouble) log.warn({ err }, complaints[trouble]);
          hasComplained = true;
          state = trouble;
          const wasGood = clock.monotonicMs() - now > goodStreamMs;
          delayMs = wasGood ? streamRetryMs : Math.min(streamRetryMaxMs, delayMs * 2);
          if (parts.isPushed) streamAt = clock.monotonicMs() + delayMs * (0.5 + parts.random() / 2);
        }
        const waitMs = Math.min(parts.pollMs, Math.max(0, streamAt - clock.monotonicMs()));
        if (waitMs > 0) await clock.sleep(waitMs, signal).catch(() => {});
      }
    },
  };
}
