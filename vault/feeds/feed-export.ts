// A whole feed as JSON lines, read from the store as fast as they are taken and no faster.
import { setImmediate as endOfTurn } from 'node:timers/promises';

import type { Db } from '../database/tables.ts';
import { findPieceEnd, listEvents } from './event-store.ts';
import type { FeedPlace } from './event-store.ts';
import { eventView } from './event-view.ts';

/** Small enough that nobody else waits for it. */
const piece = { bytesMax: 2 ** 20, eventsMax: 200 };

/** Oldest first, up to the event with the number `head`. `check` is called before each piece, and may throw. */
export async function* exportFeed(
  db: Db,
  place: FeedPlace,
  head: number,
  check: () => void,
): AsyncGenerator<string> {
  let after = 0;
  for (;;) {
    check();
    const end = await findPieceEnd(db, place, { ...piece, after, head });
    if (end === null) return;
    const rows = await listEvents(db, {
      ...{ realm: place.realm, agentIds: [place.agentId], sinceSeq: after, beforeSeq: end + 1 },
      ...{ order: 'asc', limit: piece.eventsMax },
    });
    if (rows.length > 0) yield rows.map((row) => `${JSON.stringify(eventView(row))}\n`).join('');
    after = end;
    // A reader on the same machine may be so quick that nothing else ever had its turn.
    await endOfTurn();
  }
}
