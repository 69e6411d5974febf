// One PostgreSQL server for all test files of a project: a global setup of Vitest, run only when the project has files to run.
import type { TestProject } from 'vitest/node';

import { startPostgresServer } from './postgres-server.ts';

declare module 'vitest' {
  // oxlint-disable-next-line typescript/consistent-type-definitions -- only an interface merges with Vitest's own
  interface ProvidedContext {
    /** Of the superuser, database `postgres`. */
    postgresUrl: string;
  }
}

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await startPostgresServer();
  project.provide('postgresUrl', server.url);
  return async () => {
    await server[Symbol.asyncDispose]();
  };
}
