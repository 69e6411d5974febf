// The bubblewrap profile of one run as a pure function of its mounts.
import { insideSandbox } from './run-directory-layout.ts';
import type { SandboxTier } from './sandbox-tier.ts';

export type Bind = { from: string; to: string };

export type SandboxMounts = {
  readOnly: Bind[];
  writable: Bind[];
};

const temporaryFilesystemBytes = 256 * 2 ** 20;
const sharedMemoryBytes = 64 * 2 ** 20;

/** What name resolution, TLS and locales need; nothing else of /etc is visible. */
const etcFiles = [
  'ssl',
  'ca-certificates',
  'alternatives',
  'ld.so.cache',
  'nsswitch.conf',
  'hosts',
  'resolv.conf',
  'localtime',
  'passwd',
  'group',
].map((name) => `/etc/${name}`);

export function bubblewrapArguments(
  tier: Exclude<SandboxTier, 'none'>,
  mounts: SandboxMounts,
): string[] {
  return [
    ...namespaces(tier),
    ...rootFilesystem(),
    ...(tier === 'bwrap' ? ['--proc', '/proc'] : ['--ro-bind', '/proc', '/proc']),
    ...devices(),
    ...temporaryFilesystem(insideSandbox.tmp, temporaryFilesystemBytes),
    ...mounts.readOnly.flatMap(({ from, to }) => ['--ro-bind', from, to]),
    ...mounts.writable.flatMap(({ from, to }) => ['--bind', from, to]),
    // bwrap's own root is a writable tmpfs without a size limit until it is remounted.
    ...['--remount-ro', '/', '--chdir', insideSandbox.work],
  ];
}

function namespaces(tier: SandboxTier): string[] {
  return [
    '--unshare-user',
    // Needs a /proc of its own, which the procbind tier does not get.
    ...(tier === 'bwrap' ? ['--disable-userns'] : []),
    '--unshare-pid',
    '--unshare-ipc',
    '--unshare-uts',
    '--unshare-cgroup-try',
    '--die-with-parent',
    '--new-session',
    ...['--hostname', 'run'],
    ...['--cap-drop', 'ALL'],
  ];
}

function rootFilesystem(): string[] {
  // Parents that bwrap makes by itself are 0700, which would hide what is bound below them.
  const directories = ['/etc', '/opt', insideSandbox.programs, '/home', '/run'];
  return [
    ...directories.flatMap((path) => ['--perms', '0755', '--dir', path]),
    ...['--ro-bind', '/usr', '/usr'],
    ...['bin', 'sbin', 'lib', 'lib64'].flatMap((name) => ['--symlink', `usr/${name}`, `/${name}`]),
    ...etcFiles.flatMap((path) => ['--ro-bind-try', path, path]),
  ];
}

function devices(): string[] {
  return [
    ...['--dev', '/dev'],
    ...temporaryFilesystem('/dev/shm', sharedMemoryBytes),
    ...['--remount-ro', '/dev'],
  ];
}

function temporaryFilesystem(path: string, bytes: number): string[] {
  return ['--size', String(bytes), '--perms', '1777', '--tmpfs', path];
}
