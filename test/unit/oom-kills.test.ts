import { describe, expect, test } from 'vitest';

import { countingFiles, countOomKills, wasOomKilled } from '../../gateway/sandbox/oom-kills.ts';

describe('the kills of the kernel are counted', () => {
  test('in the control group of the gateway, or the nearest around it that has a count', () => {
    expect(countingFiles('0::/system.slice/gatehouse.service\n')).toEqual([
      '/sys/fs/cgroup/system.slice/gatehouse.service/memory.events',
      '/sys/fs/cgroup/system.slice/memory.events',
      '/sys/fs/cgroup/memory.events',
      '/proc/vmstat',
    ]);
  });

  test('in that of version 1 where the memory is there', () => {
    const hybrid = '9:name=systemd:/\n4:memory:/docker/abc\n2:cpuacct:/\n0::/\n';
    expect(countingFiles(hybrid)).toEqual([
      '/sys/fs/cgroup/memory/docker/abc/memory.oom_control',
      '/sys/fs/cgroup/memory/docker/memory.oom_control',
      '/sys/fs/cgroup/memory/memory.oom_control',
      '/proc/vmstat',
    ]);
    expect(countingFiles('3:cpu,memory:/\n')[0]).toBe('/sys/fs/cgroup/memory/memory.oom_control');
  });

  test('never outside of the tree of control groups', () => {
    expect(countingFiles('0::/../../other\n')).toEqual([
      '/sys/fs/cgroup/other/memory.events',
      '/sys/fs/cgroup/memory.events',
      '/proc/vmstat',
    ]);
  });

  test('on the whole machine where there are no control groups', () => {
    expect(countingFiles('')).toEqual(['/proc/vmstat']);
  });

  test('on this machine', () => {
    expect(countOomKills()).toEqual(expect.any(Number));
  });
});

const bySignal = { code: null, signal: 'SIGKILL', isKilledByUs: false };
const insideBwrap = { code: 137, signal: null, isKilledByUs: false };

test.each([
  ['killed by a signal while the kernel killed', bySignal, 3, 4, true],
  ['killed inside bwrap while the kernel killed', insideBwrap, 3, 5, true],
  ['killed by us while the kernel killed', { ...bySignal, isKilledByUs: true }, 3, 4, false],
  ['killed while the kernel did not', insideBwrap, 3, 3, false],
  ['ended by itself while the kernel killed', { ...insideBwrap, code: 1 }, 3, 4, false],
  ['ended by another signal', { ...bySignal, signal: 'SIGSEGV' }, 3, 4, false],
  ['killed where nothing is counted', insideBwrap, null, null, false],
  ['killed after a count that could not be read', insideBwrap, null, 4, false],
])('a process that was %s', (_how, exit, before, after, isOutOfMemory) => {
  expect(wasOomKilled(exit, before, after)).toBe(isOutOfMemory);
});
