// Tries to get out of the sandbox it is started in, and prints how far it came. Nothing imports it: the doctor runs it in place
// of claude. What to look for comes over stdin, since an argv of ours would be found in /proc and taken for the host's.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';

type Targets = {
  outsideFile: string;
  outsideText: string;
  /** Files of the data directory that exist. */
  dataFiles: string[];
  /** In the environment and in the command line of a process outside. */
  secret: string;
  processName: string;
};

/** What was got, or null when nothing was. */
type Attempt = (targets: Targets) => string | null;

const attempts: Record<string, Attempt> = {
  'file outside': ({ outsideFile, outsideText }) =>
    readFileSync(outsideFile, 'utf8').includes(outsideText) ? 'its content was read' : null,
  'data directory': ({ dataFiles }) => {
    const visible = dataFiles.filter((path) => existsSync(path));
    return visible.length === 0 ? null : `${visible.join(', ')} can be seen`;
  },
  "gateway's environment": ({ secret }) =>
    somethingInProc('environ', secret) ? 'a secret in it was read from /proc' : null,
  'host processes': ({ processName }) =>
    somethingInProc('cmdline', processName) ? 'their command lines can be read' : null,
  'write to /usr': () => written('/usr'),
  'write to /': () => written('/'),
  privileges: () => {
    const status = readFileSync('/proc/self/status', 'utf8');
    const kept = [...status.matchAll(/^Cap(?:Prm|Eff|Bnd|Amb):\s*(\w+)$/gm)].filter(
      ([, bits]) => !/^0+$/.test(bits ?? ''),
    );
    if (kept.length > 0) return 'kernel capabilities are left';
    return /^NoNewPrivs:\s*1$/m.test(status) ? null : 'a setuid program could give some';
  },
  'nested user namespace': () => {
    const { error, status } = spawnSync('unshare', ['--user', 'true'], { stdio: 'ignore' });
    if (error !== undefined) throw error;
    return status === 0 ? 'one was made' : null;
  },
};

function somethingInProc(file: 'environ' | 'cmdline', text: string): boolean {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .some((pid) => {
      try {
        return readFileSync(`/proc/${pid}/${file}`, 'latin1').includes(text);
      } catch {
        return false;
      }
    });
}

function written(directory: string): string | null {
  const path = join(directory, '.gatehouse-escape');
  writeFileSync(path, '');
  rmSync(path);
  return 'a file was written';
}

function outcomes(targets: Targets): Record<string, string | null> {
  return Object.fromEntries(
    Object.entries(attempts).map(([name, attempt]) => {
      try {
        return [name, attempt(targets)];
      } catch {
        return [name, null];
      }
    }),
  );
}

// In a session of its own, beyond the reach of a signal to our process group.
spawn('sleep', ['600'], { detached: true, stdio: 'ignore' }).unref();
const targets: Targets = JSON.parse(readFileSync(0, 'utf8'));
writeSync(1, JSON.stringify(outcomes(targets)));
