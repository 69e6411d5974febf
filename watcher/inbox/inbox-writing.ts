// Writes what is for the inboxes of agents, in order, until it is told to stop.
import type { Clock } from '#shared/clock.ts';
import type { Log } from '#shared/log.ts';

import type { WatchedAgent } from '../agent-roster.ts';
import type { Journal } from '../journal/journal.ts';
import { appendToInbox } from './inbox-file.ts';

export type InboxWriting = { wake: () => void; run: (signal: AbortSignal) => Promise<void> };

const lookAgainMs = 5000;
const batch = 100;

export function createInboxWriting(parts: {
  journal: Pick<Journal, 'openInboxItems' | 'markWritten'>;
  findAgent: (agentId: string) => WatchedAgent | null;
  clock: Clock;
  log: Log;
}): InboxWriting {
  const { journal, findAgent, clock, log } = parts;
  let nap = new AbortController();

  const writeAll = async (): Promise<void> => {
    for (const item of journal.openInboxItems(batch)) {
      const agent = findAgent(item.agentId);
      if (agent === null) continue;
      const { inbox } = agent.settings;
      if (inbox === undefined) {
        const facts = { event_id: item.eventId, agent: agent.name };
        log.info(
          facts,
          'a message is not from the dashboard, and its agent has no inbox: it is left',
        );
      } else {
        await appendToInbox(inbox, item.text, `<!-- ${item.eventId} -->`);
      }
      await journal.markWritten(item);
    }
  };
  return {
    wake: () => nap.abort(),
    async run(signal) {
      while (!signal.aborted) {
        nap = new AbortController();
        await writeAll().catch((err: unknown) => log.error({ err }, 'an inbox cannot be written'));
        await clock.sleep(lookAgainMs, AbortSignal.any([signal, nap.signal])).catch(() => {});
      }
    },
  };
}
