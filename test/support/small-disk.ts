// A small file system of its own: mounted for a test, which needs root.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export type SmallDisk = Disposable & {
  path: string;
  /** Leaves so many kilobytes. */
  fill: (leftKilobytes: number) => void;
  empty: () => void;
};

/** Null when this user may not mount. */
export function mountSmallDisk(megabytes: number, options = 'mode=0755'): SmallDisk | null {
  const path = mkdtempSync(join(tmpdir(), 'gatehouse-disk-'));
  const filler = join(path, 'filler');
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m,${options}`, 'tmpfs', path], {
      stdio: 'pipe',
    });
  } catch {
    rmSync(path, { recursive: true });
    return null;
  }
  return {
    path,
    fill(leftKilobytes) {
      const { bavail, bsize } = statfsSync(path);
      writeFileSync(filler, Buffer.alloc(Math.max(0, bavail * bsize - leftKilobytes * 1024), 1));
    },
    empty: () => rmSync(filler, { force: true }),
    [Symbol.dispose]: () => {
      execFileSync('umount', ['-l', path], { stdio: 'pipe' });
      rmSync(path, { recursive: true });
    },
  };
}

export const canMount = ((): boolean => {
  using disk = mountSmallDisk(1);
  return disk !== null;
})();
export const needsMount = canMount ? '' : ' (skipped: this user may not mount a tmpfs)';
