// Who answers a message: held → released | expired | answered, and held again with a higher fence unless it was answered.
// The fence tells a holder who was too slow from the one who came after: a write with an older one is refused.
import { isoTime } from '#shared/clock.ts';
import type { Clock } from '#shared/clock.ts';
import { requestError } from '#shared/errors.ts';
import type { AppError } from '#shared/errors.ts';
import type { Log } from '#shared/log.ts';
import { leaseSecsMax } from '#shared/vault-event-api.ts';

import type { ClaimRow, Db, EventRow } from '../database/tables.ts';
import type { VaultDatabase } from '../database/vault-database.ts';
import type { WriteScope } from '../database/write-line.ts';
import { invalidField } from '../vault-errors.ts';
import { findClaim, listHeldClaims, putClaim } from './claim-store.ts';
import { vaultAuthor } from './feed.ts';
import type { Feed } from './feed.ts';
import type { LeaseDeadlines } from './lease-deadlines.ts';

export type ClaimHolder = { id: string; name: string };

/** All of them inside a transaction; those that take a fence throw `conflict` for a stale one. */
export type Claims = {
  /** Throws `conflict` while somebody else holds it, and once it is answered. */
  take: (
    scope: WriteScope,
    event: EventRow,
    holder: ClaimHolder,
    terms: { leaseSecs: number; reopen: boolean },
  ) => Promise<ClaimRow>;
  renew: (
    scope: WriteScope,
    eventId: string,
    fence: number,
    leaseSecs: number,
  ) => Promise<ClaimRow>;
  release: (scope: WriteScope, eventId: string, fence: number) => Promise<ClaimRow>;
  /** Whether something may be posted in reply to an event: with the fence of its claim, or without one where nobody else holds it. */
  requireMayReply: (db: Db, eventId: string, fence: number | null) => Promise<void>;
  /** The answer is there. */
  settle: (scope: WriteScope, eventId: string) => Promise<void>;
  /** Leases that an earlier start left. */
  restore: () => Promise<void>;
  /** Ends what is over, until it is told to stop. */
  run: (signal: AbortSignal) => Promise<void>;
};

export type ClaimParts = {
  realm: string;
  database: Pick<VaultDatabase, 'reads' | 'write'>;
  feed: Feed;
  deadlines: LeaseDeadlines;
  clock: Clock;
  log: Log;
};

const lookMs = 500;
const expiredAtOnce = 100;

export function createClaims(parts: ClaimParts): Claims {
  const { realm, database, feed, deadlines, clock } = parts;
  const now = (): string => isoTime(clock.now());

  const tell = async (scope: WriteScope, type: string, claim: ClaimRow): Promise<void> => {
    const { eventId, agentId, fence, holderId, holderName, leaseExpiresAt } = claim;
    const holder = { id: holderId, name: holderName };
    const metadata = { source: 'vault', fence, holder, lease_expires_at: leaseExpiresAt };
    await feed.append(scope, { agentId, type, replyTo: eventId, metadata, author: vaultAuthor });
  };
  const end = async (
    scope: WriteScope,
    claim: ClaimRow,
    state: 'released' | 'expired' | 'answered',
  ): Promise<ClaimRow> => {
    const ended: ClaimRow = { ...claim, state, endedAt: now() };
    await putClaim(scope.db, ended);
    if (state !== 'answered') await tell(scope, `claim_${state}`, ended);
    return ended;
  };
  /** Of most the lease ends long after their answer: all that are over at once cost one write. */
  const expireSome = (eventIds: readonly string[]): Promise<void> =>
    database.write(async (scope) => {
      for (const eventId of eventIds) {
        const claim = await findClaim(scope.db, eventId);
        // It may have been renewed, or ended, since somebody looked.
        if (claim?.state === 'held' && deadlines.isOver(eventId)) {
          await end(scope, claim, 'expired');
        }
      }
    });
  const expireAll = async (): Promise<void> => {
    for (let over = deadlines.over(); over.length > 0; over = deadlines.over()) {
      const some = over.slice(0, expiredAtOnce);
      await expireSome(some);
      for (const eventId of some) if (deadlines.isOver(eventId)) deadlines.forget(eventId);
    }
  };

  return {
    async take(scope, event, holder, { leaseSecs, reopen }) {
      const { eventId, agentId } = event;
      if (event.eventType !== 'user_message' || agentId === null) {
        throw invalidField(
          'event_id',
          `a ${event.eventType} cannot be claimed, only a user_message`,
        );
      }
      const earlier = await findClaim(scope.db, eventId);
      if (earlier?.state === 'answered' && !reopen) throw taken(earlier, 'it was answered already');
      if (earlier?.state === 'held') {
        if (!deadlines.isOver(eventId)) throw taken(earlier, `${earlier.holderName} holds it`);
        await end(scope, earlier, 'expired');
      }
      const claim: ClaimRow = {
        ...{ eventId, realm, agentId, fence: (earlier?.fence ?? 0) + 1, state: 'held' },
        ...{ holderId: holder.id, holderName: holder.name },
        ...{
          claimedAt: now(),
          leaseExpiresAt: isoTime(clock.now() + leaseSecs * 1000),
          endedAt: null,
        },
      };
      await putClaim(scope.db, claim);
      deadlines.set(eventId, leaseSecs * 1000);
      await tell(scope, 'claim_taken', claim);
      return claim;
    },
    async renew(scope, eventId, fence, leaseSecs) {
      const claim = await requireHeld(scope.db, eventId, fence);
      const leaseExpiresAt = isoTime(clock.now() + leaseSecs * 1000);
      const renewed = { ...claim, leaseExpiresAt };
      await putClaim(scope.db, renewed);
      deadlines.set(eventId, leaseSecs * 1000);
      await tell(scope, 'claim_renewed', renewed);
      return renewed;
    },
    async release(scope, eventId, fence) {
      return end(scope, await requireHeld(scope.db, eventId, fence), 'released');
    },
    async requireMayReply(db, eventId, fence) {
      if (fence !== null) {
        await requireHeld(db, eventId, fence);
        return;
      }
      const claim = await findClaim(db, eventId);
      if (claim?.state === 'held')
        throw taken(claim, `${claim.holderName} holds it: send its fence`);
    },
    async settle(scope, eventId) {
      const claim = await findClaim(scope.db, eventId);
      if (claim?.state === 'held') await end(scope, claim, 'answered');
    },
    async restore() {
      for (const { eventId, leaseExpiresAt } of await listHeldClaims(database.reads, realm)) {
        const leaseMs = Date.parse(leaseExpiresAt) - clock.now();
        deadlines.set(eventId, Math.min(leaseMs, leaseSecsMax * 1000));
      }
    },
    async run(signal) {
      while (!signal.aborted) {
        await expireAll().catch((err: unknown) =>
          parts.log.error({ err }, 'leases could not be ended'),
        );
        await clock.sleep(lookMs, signal).catch(() => {});
      }
    },
  };
}

async function requireHeld(db: Db, eventId: string, fence: number): Promise<ClaimRow> {
  const claim = await findClaim(db, eventId);
  if (claim?.fence !== fence || claim.state !== 'held') throw staleFence(claim, fence);
  return claim;
}

function taken(claim: ClaimRow, reason: string): AppError {
  return requestError('conflict', `the message cannot be claimed: ${reason}`, {
    details: {
      state: claim.state,
      holder: { id: claim.holderId, name: claim.holderName },
      lease_expires_at: claim.leaseExpiresAt,
    },
  });
}

function staleFence(claim: ClaimRow | null, fence: number): AppError {
  const state = claim?.state ?? 'none';
  const message = `the fence ${fence} is not that of a claim that is held: claim the message again`;
  return requestError('conflict', message, {
    details: { state, current_fence: claim?.fence ?? null },
  });
}
