import { expect, test } from 'vitest';

import { createWorkspaceLocks } from '../../gateway/workspaces/workspace-locks.ts';

const site = { name: 'site', mode: 'rw' } as const;
const notes = { name: 'notes', mode: 'ro' } as const;

test('one session writes in a workspace at a time, and the refusal names it', () => {
  const locks = createWorkspaceLocks();
  locks.acquire(site, 'session-1');
  expect(() => locks.acquire(site, 'session-2')).toThrow(
    expect.objectContaining({
      ...{ code: 'conflict', statusCode: 409, message: expect.stringContaining('workspace site') },
      details: { field: 'workspace', value: 'site' },
    }),
  );
  locks.acquire({ ...site, name: 'other' }, 'session-2');
});

test('the next one may as soon as it is released, and not because somebody else released', () => {
  const locks = createWorkspaceLocks();
  locks.acquire(site, 'session-1');
  locks.release('session-2');
  expect(() => locks.acquire(site, 'session-2')).toThrow('another session');
  locks.release('session-1');
  locks.release('session-1');
  locks.acquire(site, 'session-2');
  expect(() => locks.acquire(site, 'session-1')).toThrow('another session');
});

test('a session that asks for its own again gets it', () => {
  const locks = createWorkspaceLocks();
  locks.acquire(site, 'session-1');
  expect(() => locks.acquire(site, 'session-1')).not.toThrow();
  locks.release('session-1');
  expect(() => locks.acquire(site, 'session-2')).not.toThrow();
});

test('readers are free', () => {
  const locks = createWorkspaceLocks();
  locks.acquire(notes, 'session-1');
  expect(() => locks.acquire(notes, 'session-2')).not.toThrow();
});
