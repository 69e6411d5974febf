// What a gateway of a test is started with, unless the test says otherwise.
import { join, resolve } from 'node:path';

import { withoutTypes } from './quick-start.ts';

export const projectDir = resolve(import.meta.dirname, '../..');
export const fakeClaude = withoutTypes(join(projectDir, 'test/support/fake-claude.ts'));
export const testAdminToken = 'admin-token-of-a-test';

/** Without bubblewrap, with the fake CLI, and nothing started ahead: most tests count processes and directories. */
export function gatewayEnvironment(dataDir: string): Record<string, string> {
  return {
    GATEWAY_DATA_DIR: dataDir,
    GATEWAY_PORT: '0',
    ADMIN_BOOTSTRAP_TOKEN: testAdminToken,
    CLAUDE_BIN: fakeClaude,
    SANDBOX: 'none',
    ANTHROPIC_API_KEY: 'sk-test-not-a-real-key',
    PREPARED_RUNS: '0',
  };
}
