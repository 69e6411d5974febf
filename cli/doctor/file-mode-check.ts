// Who else on this machine may read what the gateway keeps.
import { lstatSync } from 'node:fs';
import { join } from 'node:path';

import { fail, pass, warn } from './finding.ts';
import type { Finding } from './finding.ts';

const name = 'file modes';

export function checkFileModes(dataDir: string, runsDir: string): Finding[] {
  const directories = [
    dataDir,
    runsDir,
    join(dataDir, 'login'),
    join(dataDir, 'files'),
    join(dataDir, 'backups'),
  ];
  const files = [
    'admin-token',
    'gateway.db',
    'gateway.db-wal',
    'gateway.db-shm',
    'gateway.lock',
    'reserve',
  ].map((each) => join(dataDir, each));
  const loosened = findLooseModes(name, directories, files);
  if (loosened.length > 0) return loosened;
  return lstatSync(dataDir, { throwIfNoEntry: false }) === undefined
    ? [pass(name, `${dataDir} is not there yet: the first start makes it`)]
    : [pass(name, `${dataDir} and what is in it are for its owner alone`)];
}

/** Those that others get at; what is not there is well. */
export function findLooseModes(
  as: string,
  directories: readonly string[],
  files: readonly string[],
): Finding[] {
  return [
    ...directories.map((path) => judgeMode(as, path, '700')),
    ...files.map((path) => judgeMode(as, path, '600')),
  ].filter((finding) => finding !== null);
}

function judgeMode(as: string, path: string, wanted: string): Finding | null {
  const mode = lstatSync(path, { throwIfNoEntry: false })?.mode;
  if (mode === undefined || (mode & 0o077) === 0) return null;
  const seen = `${path} is ${(mode & 0o7777).toString(8)}: others on this machine get at it`;
  return fail(as, seen, `chmod ${wanted} ${path}`);
}

/** Another user sees nothing of it, and root most things as the gateway does not. */
export function judgeUser(
  dataDir: string,
  owner: number | null,
  uid: number,
  service = 'gateway',
): Finding[] {
  if (owner === null || owner === uid) return [];
  const seen = `the doctor runs as uid ${uid}, ${dataDir} belongs to uid ${owner}`;
  const mend = `run the doctor as the ${service}'s user: sudo -u '#${owner}' npm run doctor`;
  return [uid === 0 ? warn('user', seen, mend) : fail('user', seen, mend)];
}

export function ownerOf(path: string): number | null {
  return lstatSync(path, { throwIfNoEntry: false })?.uid ?? null;
}
