import { expect, test } from 'vitest';

import { forbiddenGround, groundOf, overlap } from '../../gateway/workspaces/workspace-ground.ts';

// Nothing of it is there, so that no link of this machine plays a part.
const ground = groundOf({
  ...{ dataDir: '/srv-x/gate/data', runsDir: '/srv-x/runs', projectDir: '/opt-x/gatehouse' },
  claude: { bin: '/opt-x/claude/bin/claude', configDir: null, homeDir: '/home-x/gate' },
});

test.each<[path: string, said: RegExp]>([
  ['/', /name a directory below it/],
  ['/etc', /belongs to the system/],
  ['/etc/gatehouse', /belongs to the system/],
  ['/proc/1/root/srv', /belongs to the system/],
  ['/sys/kernel', /belongs to the system/],
  ['/dev/shm', /belongs to the system/],
  ['/run/user/1000', /belongs to the system/],
  ['/usr/local/share', /belongs to the system/],
  ['/home', /name a directory below it/],
  ['/var/lib', /name a directory below it/],
  ['/srv-x/gate/data', /it is the gateway's data directory/],
  ['/srv-x/gate/data/login', /lies in the gateway's data directory/],
  ['/srv-x/gate', /contains the gateway's data directory/],
  ['/srv-x', /contains/],
  ['/srv-x/runs/run_1/work', /lies in the directory of the runs/],
  ['/opt-x/gatehouse/node_modules', /lies in the directory of Gatehouse itself/],
  ['/opt-x/claude', /contains the claude program/],
  ['/home-x/gate', /contains .claude of the gateway's user/],
  ['/home-x/gate/.ssh', /it is .ssh/],
  ['/home-x/gate/notes', /^nothing$/],
  ['/srv-x/gate/data-of-others', /^nothing$/],
  ['/srv-x/notes', /^nothing$/],
  ['/home-x/alice/notes', /^nothing$/],
])('a workspace at %s: %s', (path, reason) => {
  expect(forbiddenGround(path, ground) ?? 'nothing').toMatch(reason);
});

test.each([
  ['/a', '/a', true],
  ['/a', '/a/b', true],
  ['/a/b', '/a', true],
  ['/a', '/ab', false],
  ['/', '/a', true],
])('%s and %s overlap: %s', (one, other, expected) => {
  expect(overlap(one, other)).toBe(expected);
});
