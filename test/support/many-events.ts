// A feed as it is after years: so many events that posting them would take too long.
import { sql } from 'kysely';

import type { TestVault } from './vault-world.ts';

/** They have the numbers after the newest one; the time is that of all of them. */
export async function fillFeed(
  world: TestVault,
  agentId: string,
  count: number,
  createdAt: string,
): Promise<void> {
  await world.vault.database.write(async ({ db }) => {
    const { head } = await db
      .selectFrom('counters')
      .select('value as head')
      .where('name', '=', 'events')
      .executeTakeFirstOrThrow();
    await sql`with recursive n(i) as (select 1 union all select i + 1 from n where i < ${sql.lit(count)})
      insert into events (seq, realm, event_id, agent_id, event_type, content, metadata, attachments,
        author_kind, author_id, author_name, created_at)
      select ${sql.lit(head)} + i, 'main', 'evt_of_' || (${sql.lit(head)} + i), ${agentId}, 'system', 'event ' || i,
        '{"source":"api"}', '[]', 'system', 'test', 'test', ${createdAt} from n`.execute(db);
    await db
      .updateTable('counters')
      .set({ value: head + count })
      .where('name', '=', 'events')
      .execute();
  });
}
