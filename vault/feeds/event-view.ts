import type { AttachmentView, EventView } from '#shared/vault-event-api.ts';

import type { EventRow } from '../database/tables.ts';

/** An event as it is answered and streamed. */
export function eventView(row: EventRow): EventView {
  const metadata: Record<string, unknown> = JSON.parse(row.metadata);
  const attachments: AttachmentView[] = JSON.parse(row.attachments);
  return {
    seq: row.seq,
    event_id: row.eventId,
    agent_id: row.agentId,
    event_type: row.eventType,
    content: row.content,
    metadata,
    reply_to: row.replyTo,
    attachments,
    author: { kind: row.authorKind, id: row.authorId, name: row.authorName },
    created_at: row.createdAt,
  };
}
