// The doctor as an operator runs it, and what it found.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import type { Finding } from '../../cli/doctor/finding.ts';
import { startNode } from './child-script.ts';
import { projectDir, testAdminToken } from './test-gateway.ts';

export type Diagnosis = {
  code: number | null;
  findings: Finding[];
  stderr: string;
  /** Findings of that name, or whose name begins so. */
  about: (name: string) => Finding[];
  /** What is not well, as "fail name". */
  complaints: string[];
};

export const pinnedClaude: string = JSON.parse(
  readFileSync(join(projectDir, 'package.json'), 'utf8'),
).dependencies['@anthropic-ai/claude-code'];

/** With a credential that is not real, in the directory of a test. */
export async function runDoctor(
  dataDir: string,
  env: Record<string, string> = {},
  args: string[] = [],
): Promise<Diagnosis> {
  await using script = startNode(['cli/doctor.ts', '--json', ...args], {
    HOME: dataDir,
    GATEWAY_DATA_DIR: dataDir,
    VAULT_DATA_DIR: dataDir,
    WATCHER_DATA_DIR: dataDir,
    GATEWAY_PORT: '0',
    ADMIN_BOOTSTRAP_TOKEN: testAdminToken,
    ANTHROPIC_API_KEY: 'sk-test-not-a-real-key',
    ...env,
  });
  const { code, stdout, stderr } = await script.ended;
  const findings: Finding[] = stdout === '' ? [] : JSON.parse(stdout).checks;
  return {
    code,
    findings,
    stderr,
    about: (name) => findings.filter((finding) => finding.name.startsWith(name)),
    complaints: findings
      .filter(({ status }) => status !== 'pass')
      .map(({ status, name }) => `${status} ${name}`),
  };
}
