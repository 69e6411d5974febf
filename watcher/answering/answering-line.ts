// Who is answered when: the messages of a conversation in order, conversations side by side, each agent so many at a time.
import type { Clock } from '#shared/clock.ts';
import type { Log } from '#shared/log.ts';

import type { WatchedAgent } from '../agent-roster.ts';
import { usualConcurrency } from '../agents-file.ts';
import type { Message } from '../journal/journal-store.ts';
import type { Journal } from '../journal/journal.ts';
import type { MessageAnswering } from './message-answering.ts';

export type AnsweringLine = {
  /** There may be something to do. */
  wake: () => void;
  /** Whoever asked does not want the answer to this message any more. */
  cancel: (eventId: string) => void;
  /** Agents that are being answered for now. */
  working: () => ReadonlySet<string>;
  /** Answers until it is told to stop; resolves when nothing is under way. */
  run: (signal: AbortSignal) => Promise<void>;
};

export type AnsweringLineParts = {
  journal: Pick<Journal, 'heads'>;
  answering: MessageAnswering;
  findAgent: (agentId: string) => WatchedAgent | null;
  clock: Clock;
  log: Log;
};

const lookAgainMs = 1000;
const failurePauseMs = 2000;
const failurePauseMaxMs = 30_000;

export function createAnsweringLine(parts: AnsweringLineParts): AnsweringLine {
  const { journal, answering, findAgent, clock, log } = parts;
  /** By conversation. */
  const underWay = new Map<
    string,
    { message: Message; cancel: AbortController; done: Promise<void> }
  >();
  /** Conversations that failed for a reason of their own surroundings: not before, on the monotonic clock. */
  const pauses = new Map<string, { until: number; ms: number }>();
  let nap = new AbortController();

  const isPaused = ({ conversation }: Message): boolean =>
    (pauses.get(conversation)?.until ?? 0) > clock.monotonicMs();
  const busyOf = (agentId: string): number =>
    [...underWay.values()].filter(({ message }) => message.agentId === agentId).length;

  const begin = (message: Message, agent: WatchedAgent, stop: AbortSignal): void => {
    const { conversation, eventId } = message;
    const cancel = new AbortController();
    if (message.cancelAsked === 1) cancel.abort();
    const work = async (): Promise<void> => {
      try {
        const result = await answering.answer(message, agent, { stop, cancel: cancel.signal });
        if (result === 'later') pause(conversation, lookAgainMs, lookAgainMs);
        else pauses.delete(conversation);
      } catch (err) {
        if (stop.aborted) return;
        log.warn({ err, event_id: eventId }, 'a message could not be answered now');
        const grown = Math.min(
          failurePauseMaxMs,
          (pauses.get(conversation)?.ms ?? failurePauseMs / 2) * 2,
        );
        pause(conversation, grown, grown * (0.5 + Math.random() / 2));
      } finally {
        underWay.delete(conversation);
        wake();
      }
    };
    // The work takes it away again, perhaps at once.
    const entry = { message, cancel, done: Promise.resolve() };
    underWay.set(conversation, entry);
    entry.done = work();
  };
  const pause = (conversation: string, ms: number, waitMs: number): void =>
    void pauses.set(conversation, { until: clock.monotonicMs() + waitMs, ms });
  const beginWhatIsDue = (stop: AbortSignal): void => {
    for (const message of journal.heads()) {
      const { conversation, agentId } = message;
      const agent = findAgent(agentId);
      if (agent === null || underWay.has(conversation) || isPaused(message)) continue;
      const { concurrency = usualConcurrency } = agent.settings;
      if (busyOf(agentId) < concurrency) begin(message, agent, stop);
    }
  };
  const wake = (): void => nap.abort();
  return {
    wake,
    cancel(eventId) {
      for (const { message, cancel } of underWay.values()) {
        if (message.eventId === eventId) cancel.abort();
      }
      wake();
    },
    working: () => new Set([...underWay.values()].map(({ message }) => message.agentId)),
    async run(signal) {
      while (!signal.aborted) {
        nap = new AbortController();
        beginWhatIsDue(signal);
        await clock.sleep(lookAgainMs, AbortSignal.any([signal, nap.signal])).catch(() => {});
      }
      await Promise.all([...underWay.values()].map(({ done }) => done));
    },
  };
}
