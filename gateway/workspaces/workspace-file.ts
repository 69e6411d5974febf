// The file that WORKSPACES names, read and checked once: all that is wrong with it is said together.
import { accessSync, constants, readFileSync, realpathSync, statSync } from 'node:fs';
import type { Stats } from 'node:fs';

import { Type } from 'typebox';
import type { Static } from 'typebox';
import { Compile } from 'typebox/compile';

import { StartError } from '#shared/errors.ts';
import { findJsonFault } from '#shared/json-guard.ts';

import { workspaceModes } from '../sandbox/workspace-mount.ts';
import { forbiddenGround, overlap } from './workspace-ground.ts';
import type { Ground } from './workspace-ground.ts';
import type { Workspace } from './workspace.ts';

const Entry = Type.Object(
  { path: Type.String({ minLength: 1 }), mode: Type.Enum([...workspaceModes]) },
  { additionalProperties: false },
);
type Entry = Static<typeof Entry>;
const entryShape = Compile(Entry);
const fileShape = Compile(Type.Record(Type.String(), Type.Unknown()));

export class WorkspaceFileError extends StartError {
  override readonly name = 'WorkspaceFileError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`the workspaces are wrong:\n${problems.map((problem) => `  ${problem}`).join('\n')}`);
    this.problems = problems;
  }
}

export type WorkspaceFileOptions = {
  /** WORKSPACES; null for none. */
  file: string | null;
  isRoot: boolean;
  /** Places of the gateway that no run may come near. */
  ground: readonly Ground[];
};

/** Throws WorkspaceFileError. */
export function readWorkspaces({ file, isRoot, ground }: WorkspaceFileOptions): Workspace[] {
  if (file === null) return [];
  const entries = parse(file);
  const taken = [...ground, { path: file, what: 'the file WORKSPACES itself' }];
  const problems: string[] = [];
  const workspaces: Workspace[] = [];
  for (const [name, entry] of Object.entries(entries)) {
    const judged = judge(name, entry, isRoot, taken);
    if (typeof judged === 'string') problems.push(`WORKSPACES: ${JSON.stringify(name)} ${judged}`);
    else workspaces.push(judged);
  }
  problems.push(...overlaps(workspaces));
  if (problems.length > 0) throw new WorkspaceFileError(problems);
  return workspaces;
}

function parse(file: string): Record<string, unknown> {
  const wrong = (reason: string): WorkspaceFileError =>
    new WorkspaceFileError([`WORKSPACES: ${file} ${reason}`]);
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (err) {
    throw wrong(`cannot be read: ${err instanceof Error ? err.message : String(err)}`);
  }
  const fault = findJsonFault(text);
  if (fault !== null) throw wrong(`is wrong: ${fault}`);
  try {
    const value: unknown = JSON.parse(text);
    if (fileShape.Check(value)) return value;
  } catch {
    throw wrong('is not JSON');
  }
  throw wrong('must be an object such as {"notes": {"path": "/srv/notes", "mode": "ro"}}');
}

/** The workspace, or what is wrong with it: the end of a sentence that begins with its name. */
function judge(
  name: string,
  entry: unknown,
  isRoot: boolean,
  ground: readonly Ground[],
): Workspace | string {
  if (!/^[a-z0-9._-]{1,64}$/.test(name)) {
    return 'is no name: it must be 1 to 64 of a-z 0-9 . _ -';
  }
  if (!entryShape.Check(entry)) {
    return 'must have a "path", a "mode" that is "ro" or "rw", and nothing else';
  }
  const { path } = entry;
  if (!path.startsWith('/')) return `has the path ${path}: it must be absolute`;
  const stats = lookAt(path);
  if (typeof stats === 'string') return `has the path ${path}: ${stats}`;
  if (!stats.isDirectory()) return `has the path ${path}: it is not a directory`;
  const real = realpathSync(path);
  // A link may point elsewhere tomorrow: what the file says is what is mounted.
  if (real !== path) return `has the path ${path}: write ${real}, which it really is`;
  const reason = forbiddenGround(path, ground);
  if (reason !== null) return `has the path ${path}: ${reason}`;
  const unusable = judgeAccess(entry, stats, isRoot);
  if (unusable !== null) return `has the path ${path}: ${unusable}`;
  return { name, path, mode: entry.mode, owner: { uid: stats.uid, gid: stats.gid } };
}

function lookAt(path: string): Stats | string {
  try {
    return statSync(path, { throwIfNoEntry: false }) ?? 'there is no such directory';
  } catch (err) {
    return `it cannot be looked at: ${err instanceof Error ? err.message : String(err)}`;
  }
}

/** A root gateway's runs are there as the owner of the directory; an ordinary user's as that one. */
function judgeAccess({ path, mode }: Entry, stats: Stats, isRoot: boolean): string | null {
  const wanted = mode === 'rw' ? 'written' : 'read';
  if (!isRoot) {
    const { R_OK, W_OK, X_OK } = constants;
    try {
      accessSync(path, R_OK | X_OK | (mode === 'rw' ? W_OK : 0));
      return null;
    } catch {
      return `it cannot be ${wanted} by the user of the gateway`;
    }
  }
  if (stats.uid === 0) {
    if (mode === 'rw') return 'it belongs to root, as whom nothing runs: give it to another user';
    return (stats.mode & 0o005) === 0o005
      ? null
      : 'it belongs to root and not everybody may read it: give it to another user';
  }
  const bits = mode === 'rw' ? 0o700 : 0o500;
  return (stats.mode & bits) === bits ? null : `it cannot be ${wanted} by its owner`;
}

function overlaps(workspaces: readonly Workspace[]): string[] {
  return workspaces.flatMap((one, index) =>
    workspaces
      .slice(index + 1)
      .filter(
        (other) => (one.mode === 'rw' || other.mode === 'rw') && overlap(one.path, other.path),
      )
      .map(
        (other) =>
          `WORKSPACES: "${one.name}" and "${other.name}" overlap (${one.path}, ${other.path}): then both must be "ro"`,
      ),
  );
}
