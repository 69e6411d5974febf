// The whole environment of a run, built from nothing: what is not named here does not reach the CLI.
import { searchPath, searchPathInWorkspace } from '../sandbox/program-file.ts';
import { insideSandbox } from '../sandbox/run-directory-layout.ts';
import type { RunDirectory } from '../sandbox/run-directory-layout.ts';
import type { SandboxTier } from '../sandbox/sandbox-tier.ts';
import { runMarker } from '../sandbox/sandboxed-process.ts';

const switches = {
  CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
  // The pinned version stays the pinned version.
  DISABLE_AUTOUPDATER: '1',
  // Ten retries, the default, keep a caller waiting for three minutes.
  CLAUDE_CODE_MAX_RETRIES: '2',
  // Without it the CLI keeps a wait of more than a minute to itself. With it a limit is retried for ever: retry-limit.ts ends that.
  CLAUDE_CODE_RETRY_WATCHDOG: '1',
  // A cut stream is an error or a new stream; never a silent second call without a sign of life.
  CLAUDE_CODE_DISABLE_NONSTREAMING_FALLBACK: '1',
  // A run ends with its answer.
  CLAUDE_CODE_DISABLE_BACKGROUND_TASKS: '1',
  // `@path` in a prompt reads nothing; client_composed says so already, this says it twice.
  CLAUDE_CODE_DISABLE_ATTACHMENTS: '1',
};

export type CredentialVariables = Readonly<Record<string, string>>;

export function claudeEnvironment(options: {
  runId: string;
  tier: SandboxTier;
  directory: RunDirectory;
  credential: CredentialVariables;
  loginDir: string | null;
  baseUrl: string | null;
  workspace?: object | null;
}): Record<string, string> {
  const { tier, directory, loginDir } = options;
  const outside = tier === 'none';
  return {
    PATH: options.workspace ? searchPathInWorkspace : searchPath(tier),
    HOME: outside ? directory.home : insideSandbox.home,
    TMPDIR: outside ? directory.tmp : insideSandbox.tmp,
    LANG: 'C.UTF-8',
    ...switches,
    ...options.credential,
    ...(options.baseUrl === null ? {} : { ANTHROPIC_BASE_URL: options.baseUrl }),
    ...(loginDir === null
      ? {}
      : { CLAUDE_SECURESTORAGE_CONFIG_DIR: outside ? loginDir : insideSandbox.login }),
    [runMarker]: options.runId,
  };
}
