// What somebody posts to a feed: checked, numbered, and stored once however often it is sent under the same key.
import { requestError } from '#shared/errors.ts';
import { idempotencyMismatch, requestDigest } from '#shared/idempotency-key.ts';
import type { JsonValue } from '#shared/json-value.ts';
import {
  peopleNotice,
  readNotice,
  stoppingNotice,
  vaultEventTypes,
} from '#shared/vault-event-api.ts';
import type { AttachmentView, EventRequest } from '#shared/vault-event-api.ts';

import type { AgentRow, Db, EventRow } from '../database/tables.ts';
import type { WriteScope } from '../database/write-line.ts';
import { invalidField } from '../vault-errors.ts';
import type { Claims } from './claims.ts';
import { deleteDeltas, findEvent, findEventByKey } from './event-store.ts';
import type { EventAuthor, Feed } from './feed.ts';

export type Post = {
  agent: AgentRow;
  author: EventAuthor;
  /** How the author has signed in. */
  source: 'dashboard' | 'api';
  request: EventRequest;
  key: string | null;
};

export type Posting = {
  /** Inside a transaction. `isRepeated`: it was there already. */
  post: (scope: WriteScope, post: Post) => Promise<{ event: EventRow; isRepeated: boolean }>;
};

export type PostingParts = {
  realm: string;
  feed: Feed;
  claims: Claims;
  /** Gives an event its attachments; throws `not_found` for one that is not of this feed, or in use. */
  takeAttachments: (db: Db, agentId: string, ids: readonly string[]) => Promise<AttachmentView[]>;
  /** They belong to it from now on. */
  bindAttachments: (db: Db, ids: readonly string[], eventId: string) => Promise<void>;
};

const metadataCharsMax = 16 * 2 ** 10;
const vaultTypes: ReadonlySet<string> = new Set([
  ...vaultEventTypes,
  ...[stoppingNotice, readNotice, peopleNotice],
]);
/** What only whoever answers for an agent may post. */
const answerTypes: ReadonlySet<string> = new Set([
  'assistant_message',
  'assistant_delta',
  'tool_call',
]);

/** Also anything that is posted under a claim or ends it: the fences of claims can be read by all who read the feed. */
export function isAnswer({ event_type: type, fence, ends_claim: endsIt }: EventRequest): boolean {
  return answerTypes.has(type) || fence !== undefined || endsIt === true;
}

export function createPosting(parts: PostingParts): Posting {
  const { realm, feed, claims } = parts;

  const requireReplyTo = async (db: Db, { agent, request }: Post): Promise<void> => {
    const { reply_to: replyTo, fence, event_type: type } = request;
    if (replyTo === undefined) {
      if (fence === undefined && type !== 'assistant_delta') return;
      throw invalidField('reply_to', `reply_to must name the message that this answers`);
    }
    const event = await findEvent(db, realm, replyTo);
    if (event?.agentId !== agent.agentId) {
      throw requestError('not_found', 'reply_to names no event of this feed', {
        details: { field: 'reply_to' },
      });
    }
    if (isAnswer(request)) await claims.requireMayReply(db, replyTo, fence ?? null);
  };
  return {
    async post(scope, post) {
      const { agent, author, source, request, key } = post;
      const { event_type: type, content, metadata = {}, reply_to: replyTo = null } = request;
      requirePostable(request);
      const requestSha256 = requestDigest(asJson(request));
      const known = await repeated(scope.db, post, requestSha256);
      if (known !== null) return { event: known, isRepeated: true };
      await requireReplyTo(scope.db, post);
      const ids = request.attachments ?? [];
      const attachments = await parts.takeAttachments(scope.db, agent.agentId, ids);
      const endsIt = replyTo !== null && endsClaim(request);
      if (endsIt) await deleteDeltas(scope.db, agent.agentId, replyTo);
      const event = await feed.append(scope, {
        ...{ agentId: agent.agentId, type, content, replyTo, attachments, author },
        metadata: { ...metadata, source },
        key: key === null ? null : { key, requestSha256 },
      });
      await parts.bindAttachments(scope.db, ids, event.eventId);
      if (endsIt) await claims.settle(scope, replyTo);
      return { event, isRepeated: false };
    },
  };
}

async function repeated(db: Db, post: Post, requestSha256: string): Promise<EventRow | null> {
  const { key, agent, author } = post;
  if (key === null) return null;
  const known = await findEventByKey(db, { agentId: agent.agentId, authorId: author.id, key });
  if (known !== null && known.requestSha256 !== requestSha256) throw idempotencyMismatch();
  return known;
}

function endsClaim({ event_type: type, ends_claim: said }: EventRequest): boolean {
  return said ?? type === 'assistant_message';
}

/** What can be said without the database. */
function requirePostable({
  event_type: type,
  content,
  metadata,
  attachments = [],
}: EventRequest): void {
  if (vaultTypes.has(type)) {
    throw invalidField('event_type', `${type} is made by the vault itself`);
  }
  if (type === 'user_message' && content.trim() === '' && attachments.length === 0) {
    throw invalidField('content', 'content must not be empty');
  }
  if (metadata !== undefined && JSON.stringify(metadata).length > metadataCharsMax) {
    throw invalidField('metadata', 'metadata must be at most 16 KB as JSON');
  }
}

function asJson(request: EventRequest): JsonValue {
  const json: JsonValue = JSON.parse(JSON.stringify(request));
  return json;
}
