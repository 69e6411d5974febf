// Where the kernel keeps the memory accounts of this process: its control group and those around it, of either version.

const mountPoint = '/sys/fs/cgroup';
const mountPointV1 = '/sys/fs/cgroup/memory';

export type MemoryGroups = {
  version: 1 | 2;
  /** Innermost first, the outermost last. Inside a container only the last ones may be there. */
  directories: string[];
};

/** @param selfCgroup the text of /proc/self/cgroup */
export function memoryGroups(selfCgroup: string): MemoryGroups | null {
  const v1 = /^\d+:(?:[^:\n]*,)?memory(?:,[^:\n]*)?:(.*)$/m.exec(selfCgroup)?.[1];
  if (v1 !== undefined) return { version: 1, directories: pathUpwards(mountPointV1, v1) };
  const v2 = /^0::(.*)$/m.exec(selfCgroup)?.[1];
  return v2 === undefined ? null : { version: 2, directories: pathUpwards(mountPoint, v2) };
}

function pathUpwards(root: string, path: string): string[] {
  // A group outside of this namespace's root is written with `..`, and cannot be seen.
  const steps = path.split('/').filter((step) => step !== '' && step !== '..');
  return [...steps.keys(), steps.length]
    .toReversed()
    .map((count) => [root, ...steps.slice(0, count)].join('/'));
}
