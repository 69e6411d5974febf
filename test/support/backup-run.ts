// npm run backup and npm run restore, as an operator runs them.
import { startNode } from './child-script.ts';

export type ToolEnd = { code: number | null; text: string };

export async function runTool(
  file: string,
  env: Record<string, string>,
  ...args: string[]
): Promise<ToolEnd> {
  await using script = startNode([file, ...args], env);
  const { code, stdout, stderr } = await script.ended;
  return { code, text: stdout + stderr };
}

/** Gives the directory of the backup as well. */
export async function backUp(
  dataDir: string,
  ...args: string[]
): Promise<ToolEnd & { path: string }> {
  const end = await runTool('cli/backup.ts', { GATEWAY_DATA_DIR: dataDir }, ...args);
  return { ...end, path: /^backup: (.+)$/m.exec(end.text)?.[1] ?? '' };
}

export function restore(dataDir: string, backupDir: string): Promise<ToolEnd> {
  return runTool('cli/restore.ts', { GATEWAY_DATA_DIR: dataDir }, backupDir);
}
