// Runs that were open when a backup was made: a gateway would do them now, perhaps for the second time.
import type { Clock } from '#shared/clock.ts';
import { createDatabaseWriter } from '#shared/database-writer.ts';

import { createAuditLog } from '../../gateway/audit/audit-log.ts';
import { passThrough } from '../../gateway/checkpoint.ts';
import { openGatewayDatabase } from '../../gateway/database/gateway-database.ts';
import { createRunEventStore } from '../../gateway/events/run-event-store.ts';
import { createIdempotencyKeys } from '../../gateway/idempotency/idempotency-keys.ts';
import { createIdempotencyStore } from '../../gateway/idempotency/idempotency-store.ts';
import { closeRun } from '../../gateway/runs/run-closing.ts';
import { createRunRecords } from '../../gateway/runs/run-record.ts';
import { createRunStore } from '../../gateway/runs/run-store.ts';

const message =
  'the gateway was restored from a backup in which this run was still open: it was not done again';

/** Brings the database to the newest schema, and gives how many runs it ended as `interrupted`. */
export async function interruptOpenRuns(path: string, clock: Clock): Promise<number> {
  const db = openGatewayDatabase(path);
  const writer = createDatabaseWriter(db, clock);
  try {
    // Their prompts go, and the settings may say that those are not to stay anywhere.
    db.pragma('secure_delete = ON');
    const store = createRunStore(db);
    const records = createRunRecords({
      store,
      events: createRunEventStore(db),
      audit: createAuditLog(db, clock),
      keys: createIdempotencyKeys(createIdempotencyStore(db), clock),
      writer,
      prompts: 'none',
      announce: () => {},
      checkpoint: passThrough,
      clock,
    });
    const open = store.open();
    const closing = { outcome: 'interrupted', message, survivors: 0 } as const;
    await Promise.all(open.map((run) => closeRun(run, closing, { records, store })));
    return open.length;
  } finally {
    await writer.close();
    db.close();
  }
}
