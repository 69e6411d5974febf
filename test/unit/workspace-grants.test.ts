import { expect, test } from 'vitest';

import { createWorkspaceGrants } from '../../gateway/workspaces/workspace-grants.ts';

const owner = { uid: 1000, gid: 1000 };
const notes = { name: 'notes', path: '/srv/notes', mode: 'ro' as const, owner };
const site = { name: 'site', path: '/srv/site', mode: 'rw' as const, owner };
const grants = createWorkspaceGrants([notes, site], 'bwrap');

test('an app has the workspaces it was granted, as long as there are such', () => {
  const app = { workspaces: ['site', 'gone'] };
  expect(grants.grantedTo(app)).toEqual([site]);
  expect(grants.find(app, 'site')).toBe(site);
});

test.each(['notes', 'gone', 'none', ''])(
  'any other is refused in the same words, whether there is one or not: %j',
  (name) => {
    expect(() => grants.find({ workspaces: ['site', 'gone'] }, name)).toThrow(
      expect.objectContaining({
        ...{ statusCode: 400, details: { field: 'workspace', value: name } },
        message: 'this app may use no workspace of this name: GET /me lists its own',
      }),
    );
  },
);

test('none can be used where nothing would confine a run to it', () => {
  const bare = createWorkspaceGrants([notes], 'none');
  expect(() => bare.find({ workspaces: ['notes'] }, 'notes')).toThrow(
    expect.objectContaining({ code: 'conflict' }),
  );
});
