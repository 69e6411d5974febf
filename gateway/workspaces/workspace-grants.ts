// Which workspaces there are, and which of them an app may use: none, unless it was said.
import { requestError } from '#shared/errors.ts';

import type { AppAccess } from '../access/app-lookup.ts';
import type { SandboxTier } from '../sandbox/sandbox-tier.ts';
import { WorkspaceUnusableError } from './workspace.ts';
import type { Workspace } from './workspace.ts';

export type WorkspaceGrants = {
  names: readonly string[];
  /** Those of the app that there are. */
  grantedTo: (app: Pick<AppAccess, 'workspaces'>) => Workspace[];
  /** Throws a 400 for one that the app may not use, whether there is one or not; a 409 where there is no sandbox. */
  find: (app: Pick<AppAccess, 'workspaces'>, name: string) => Workspace;
  /** Whoever may use it. Throws WorkspaceUnusableError when there is none of that name any more. */
  named: (name: string) => Workspace;
};

export function createWorkspaceGrants(
  workspaces: readonly Workspace[],
  tier: SandboxTier,
): WorkspaceGrants {
  const grantedTo: WorkspaceGrants['grantedTo'] = (app) =>
    workspaces.filter(({ name }) => app.workspaces.includes(name));
  return {
    names: workspaces.map(({ name }) => name),
    grantedTo,
    named(name) {
      const workspace = workspaces.find((each) => each.name === name);
      if (workspace !== undefined) return workspace;
      throw new WorkspaceUnusableError(`There is no workspace ${name} on the gateway any more.`);
    },
    find(app, name) {
      const workspace = grantedTo(app).find((each) => each.name === name);
      const details = { field: 'workspace', value: name };
      if (workspace === undefined) {
        throw requestError(
          'invalid_request',
          `this app may use no workspace of this name: GET /me lists its own`,
          { details },
        );
      }
      if (tier === 'none') {
        throw requestError(
          'conflict',
          'workspaces cannot be used while the gateway has no sandbox: its operator has to mend that',
          { details },
        );
      }
      return workspace;
    },
  };
}
