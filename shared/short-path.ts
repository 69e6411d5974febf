import { relative } from 'node:path';

/** For a person to type: as it is named from the directory, unless it lies outside. */
export function shortPath(path: string, directory: string): string {
  const fromThere = relative(directory, path);
  return fromThere.startsWith('..') ? path : fromThere;
}
