// Where no workspace may be: what belongs to the gateway, and what belongs to the system.
import { realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** A place that a workspace may neither be, contain nor lie in. */
export type Ground = { path: string; what: string };

/** Also nothing below them. */
const systemDirectories = ['/boot', '/dev', '/etc', '/proc', '/run', '/sys', '/usr'];
/** Directories below them may be given, but not all that is there. */
const sharedDirectories = ['/', '/home', '/opt', '/root', '/tmp', '/var', '/var/lib', '/var/tmp'];

export type GatewayPlaces = {
  dataDir: string;
  runsDir: string;
  projectDir: string;
  claude: { bin: string | null; configDir: string | null; homeDir: string | null };
};

export function groundOf({ dataDir, runsDir, projectDir, claude }: GatewayPlaces): Ground[] {
  const { bin, configDir, homeDir } = claude;
  return [
    { path: dataDir, what: "the gateway's data directory" },
    { path: runsDir, what: 'the directory of the runs' },
    { path: projectDir, what: 'the directory of Gatehouse itself' },
    // Whoever writes it writes the next run's program.
    { path: dirname(process.execPath), what: 'the directory of node' },
    ...(bin?.startsWith('/') === true ? [{ path: bin, what: 'the claude program' }] : []),
    ...(configDir === null ? [] : [{ path: configDir, what: 'the login of claude' }]),
    ...(homeDir === null ? [] : credentialsIn(homeDir)),
  ];
}

function credentialsIn(homeDir: string): Ground[] {
  return ['.claude', '.ssh', '.gnupg', '.aws', '.config', '.docker', '.kube'].map((name) => ({
    path: join(homeDir, name),
    what: `${name} of the gateway's user, where credentials are`,
  }));
}

/** Why there may be no workspace at this real path, or null. */
export function forbiddenGround(path: string, ground: readonly Ground[]): string | null {
  const system = systemDirectories.find((each) => isWithin(path, each));
  if (system !== undefined) return `${system} belongs to the system`;
  if (sharedDirectories.includes(path)) return 'name a directory below it';
  const taken = ground.find((each) => overlap(path, realPathOf(each.path)));
  if (taken === undefined) return null;
  const place = realPathOf(taken.path);
  if (place === path) return `it is ${taken.what}`;
  return `it ${isWithin(place, path) ? 'contains' : 'lies in'} ${taken.what} (${place})`;
}

/** One is the other or lies in it. */
export function overlap(one: string, other: string): boolean {
  return isWithin(one, other) || isWithin(other, one);
}

function isWithin(path: string, directory: string): boolean {
  const prefix = directory.endsWith('/') ? directory : `${directory}/`;
  return path === directory || path.startsWith(prefix);
}

/** Also of what is not there yet: as far as it is there. */
function realPathOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    const parent = dirname(path);
    return parent === path ? path : join(realPathOf(parent), path.slice(parent.length));
  }
}
