// Files that were open already when the gateway was started, by a careless shell or supervisor: every run would get them.
import { closeSync, readdirSync, readFileSync } from 'node:fs';

const closeOnExec = 0o2000000;

/** Closes all but the standard streams. Node closes low ones for its children by itself, but stops at the first gap. */
export function closeInheritedDescriptors(): void {
  for (const fd of readdirSync('/proc/self/fd').map(Number)) {
    if (fd > 2 && reachesChildren(fd)) closeSync(fd);
  }
}

/** False for all that Node itself has opened. */
function reachesChildren(fd: number): boolean {
  try {
    const info = readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1');
    const flags = /^flags:\s*([0-7]+)$/m.exec(info)?.[1];
    return flags !== undefined && (Number.parseInt(flags, 8) & closeOnExec) === 0;
  } catch {
    // The one that listed the directory.
    return false;
  }
}
