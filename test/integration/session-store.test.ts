import { mkdtempDisposableSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { openGatewayDatabase } from '../../gateway/database/gateway-database.ts';
import { createSessionStore } from '../../gateway/sessions/session-store.ts';

const [yesterday, today] = ['2026-11-26T00:00:00.000Z', '2026-11-27T00:00:00.000Z'];

test('a session that has ended is forgotten a while later, and not before the runs that name it', () => {
  using directory = mkdtempDisposableSync(join(tmpdir(), 'gatehouse-'));
  const db = openGatewayDatabase(join(directory.path, 'gateway.db'));
  const app = db.prepare(
    `insert into apps (app_id, name, ip_cidrs, created_at) values (1, 'app', '[]', ?)`,
  );
  app.run(yesterday);
  const store = createSessionStore(db);
  const fields = { system: null, model: 'sonnet', jsonSchema: null, workspace: null };
  for (const sessionId of ['open', 'ended', 'ended later', 'named']) {
    const ids = { sessionId, appId: 1, conversationId: `c-${sessionId}` };
    store.insert({ ...fields, ...ids, metadata: '{}', createdAt: yesterday });
  }
  const seqOf = (sessionId: string): number => store.seqOf(sessionId) ?? 0;
  store.end(seqOf('ended'), yesterday);
  store.end(seqOf('named'), yesterday);
  store.end(seqOf('ended later'), today);
  db.prepare(
    `insert into runs (run_id, app_id, session_seq, state, outcome, created_at, ended_at)
     values ('run', 1, ?, 'ended', 'completed', ?, ?)`,
  ).run(seqOf('named'), yesterday, yesterday);

  expect(store.removeEndedBefore(today, 10)).toBe(1);
  expect(store.seqOf('ended')).toBeNull();
  expect(['open', 'ended later', 'named'].map(store.seqOf)).not.toContain(null);
  db.exec('delete from runs');
  expect(store.removeEndedBefore(today, 10)).toBe(1);
  expect(store.seqOf('named')).toBeNull();
  db.close();
});
