// Where things of one run are, on the host and as the run itself sees them.
import { join } from 'node:path';

export type RunDirectory = {
  root: string;
  work: string;
  home: string;
  tmp: string;
};

export function runDirectoryAt(root: string): RunDirectory {
  return {
    root,
    work: join(root, 'work'),
    home: join(root, 'home'),
    tmp: join(root, 'tmp'),
  };
}

/** Neutral names: the CLI tells the model its working directory. */
export const insideSandbox = {
  work: '/work',
  home: '/home/run',
  tmp: '/tmp',
  login: '/login',
  programs: '/opt/cc',
} as const;
