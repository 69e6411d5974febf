// The workspaces: whether the file is right, and what each of them lets a run see.
import { statSync } from 'node:fs';

import type { Sandbox } from '../../gateway/sandbox/sandbox-tier.ts';
import { runUserOf } from '../../gateway/sandbox/workspace-mount.ts';
import { readWorkspaces, WorkspaceFileError } from '../../gateway/workspaces/workspace-file.ts';
import type { WorkspaceFileOptions } from '../../gateway/workspaces/workspace-file.ts';
import type { Workspace } from '../../gateway/workspaces/workspace.ts';
import { fail, pass } from './finding.ts';
import type { Finding } from './finding.ts';

const name = 'workspaces';

export function checkWorkspaces(options: WorkspaceFileOptions, sandbox: Sandbox): Finding[] {
  const { file } = options;
  if (file === null) return [];
  try {
    const workspaces = readWorkspaces(options);
    return [judgeFileMode(file, statSync(file).mode), judgeWorkspaces(workspaces, sandbox)];
  } catch (err) {
    if (!(err instanceof WorkspaceFileError)) throw err;
    return err.problems.map((problem) => fail(name, problem, `correct ${file}`));
  }
}

function judgeFileMode(file: string, mode: number): Finding {
  return (mode & 0o022) === 0
    ? pass(name, `${file} is written by its owner alone`)
    : fail(
        name,
        `${file} can be written by others, who may open any directory`,
        `chmod 644 ${file}`,
      );
}

function judgeWorkspaces(workspaces: readonly Workspace[], sandbox: Sandbox): Finding {
  if (sandbox.tier === 'none' && workspaces.length > 0) {
    return fail(name, 'they cannot be used: there is no sandbox', 'mend the sandbox (see above)');
  }
  const lines = workspaces.map((workspace) => {
    const user = runUserOf(sandbox, workspace);
    const as = user === null ? '' : ` as uid ${user.uid}`;
    return `${workspace.name} is ${workspace.path} (${workspace.mode}${as})`;
  });
  return pass(name, lines.join(', ') || 'none');
}
