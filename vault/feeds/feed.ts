// The feeds of agents: every event gets its number and its place here, in the transaction of what it tells.
import { isoTime } from '#shared/clock.ts';
import type { Clock } from '#shared/clock.ts';
import type { NewId } from '#shared/ids.ts';
import type { AttachmentView } from '#shared/vault-event-api.ts';

import type { EventRow } from '../database/tables.ts';
import type { WriteScope } from '../database/write-line.ts';
import { insertEvent, takeEventSeq } from './event-store.ts';

export type NewEvent = {
  /** Null: it concerns no agent. */
  agentId: string | null;
  type: string;
  content?: string;
  metadata?: Readonly<Record<string, unknown>>;
  replyTo?: string | null;
  attachments?: readonly AttachmentView[];
  author: EventAuthor;
  key?: { key: string; requestSha256: string } | null;
};

export type EventAuthor = { kind: 'user' | 'key' | 'system'; id: string; name: string };

export const vaultAuthor: EventAuthor = { kind: 'system', id: 'vault', name: 'vault' };

export type Feed = {
  append: (scope: WriteScope, event: NewEvent) => Promise<EventRow>;
};

export function createFeed(parts: { realm: string; newId: NewId; clock: Clock }): Feed {
  const { realm, newId, clock } = parts;
  return {
    async append(scope, event) {
      const { agentId, author, key } = event;
      const row: EventRow = {
        seq: await takeEventSeq(scope.db, realm),
        realm,
        eventId: newId('evt'),
        agentId,
        eventType: event.type,
        content: event.content ?? '',
        metadata: JSON.stringify(event.metadata ?? { source: 'vault' }),
        replyTo: event.replyTo ?? null,
        attachments: JSON.stringify(event.attachments ?? []),
        authorKind: author.kind,
        authorId: author.id,
        authorName: author.name,
        idempotencyKey: key?.key ?? null,
        requestSha256: key?.requestSha256 ?? null,
        createdAt: isoTime(clock.now()),
      };
      await insertEvent(scope.db, row);
      scope.grew(agentId);
      return row;
    },
  };
}
