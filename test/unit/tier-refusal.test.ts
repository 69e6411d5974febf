import { describe, expect, test } from 'vitest';

import { readSelfCheck } from '../../gateway/sandbox/self-check.ts';
import { explainRefusal } from '../../gateway/sandbox/tier-refusal.ts';

describe('what bubblewrap says, in words for the operator', () => {
  test.each<[said: string, problem: RegExp, mend: RegExp]>([
    ['bwrap: No permissions to create new namespace, likely', /user namespaces/, /seccomp|sysctl/],
    ['bwrap: No permissions to creating new namespace', /user namespaces/, /seccomp|sysctl/],
    ['bwrap: setting up uid map: Permission denied', /AppArmor/, /apparmor_restrict/],
    ['bwrap: setting up uid map: Operation not permitted', /root without/, /ordinary user/],
    [
      "bwrap: Can't mount proc on /newroot/proc: Operation not permitted",
      /\/proc/,
      /systempaths=unconfined/,
    ],
    ['bwrap: pivot_root: Operation not permitted', /mounts/, /seccomp/],
    ['bwrap: Failed to make / slave: Permission denied', /mounts/, /apparmor=unconfined/],
    ['bwrap: Unknown option --disable-userns', /older than 0\.8/, /0\.8 or newer/],
    ['warning\nbwrap: something new', /bubblewrap said: bwrap: something new/, /^Try: bwrap/],
    ['', /gave no reason/, /^Try: bwrap/],
  ])('%s', (said, problem, mend) => {
    const told = explainRefusal(`${said}\n`);
    expect(told.problem).toMatch(problem);
    expect(told.mend).toMatch(mend);
  });

  test('a very long message is cut', () => {
    expect(explainRefusal('x'.repeat(5000)).problem.length).toBeLessThan(300);
  });
});

describe('the look around from inside', () => {
  const good = {
    ...{ capabilities: '0000000000000000', no_new_privs: '1', canary: 'hidden' },
    ...{ usr: 'read-only', root: 'read-only', own: 'writable', done: 'yes' },
  };
  test('is content with what a sandbox should be', () => {
    expect(readSelfCheck(output(good))).toEqual({ ok: true });
  });

  test.each(
    Object.entries({
      ...{ capabilities: '00000000a80425fb', no_new_privs: '0', canary: 'visible' },
      ...{ usr: 'writable', root: 'writable', own: 'read-only', done: 'no' },
    }),
  )('is not with %s=%s, nor without it', (name, value) => {
    expect(readSelfCheck(output({ ...good, [name]: value }))).toMatchObject({ ok: false });
    const { [name]: _left, ...rest } = good as Record<string, string>;
    expect(readSelfCheck(output(rest))).toMatchObject({ ok: false });
  });
});

function output(seen: Record<string, string>): string {
  return Object.entries(seen)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}
