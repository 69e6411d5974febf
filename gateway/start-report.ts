// What the operator is told at the start: for a person on a terminal, in plain words.
import type { ClaudeCredential } from './claude/claude-credential.ts';
import { ClaudeUnavailableError } from './claude/claude-installation.ts';
import type { ClaudeInstallation } from './claude/claude-installation.ts';
import type { ProbedSandbox } from './sandbox/sandbox-probe.ts';

export type StartFacts = {
  url: string;
  sandbox: ProbedSandbox;
  claude: ClaudeInstallation | ClaudeUnavailableError;
  credential: ClaudeCredential;
  /** About the terms of use; null when there is nothing to say. */
  notice: string | null;
  /** Null when the token came from the environment. */
  adminTokenFile: string | null;
};

export function startReport(facts: StartFacts): string {
  return [
    `Gatehouse gateway on ${facts.url}`,
    ...sandboxLines(facts.sandbox),
    claudeLine(facts.claude),
    ...credentialLines(facts.credential),
    ...(facts.notice === null ? [] : [`    ${facts.notice}`]),
    `  admin token  ${facts.adminTokenFile ?? 'from ADMIN_BOOTSTRAP_TOKEN'}`,
    '',
    'Make a token for an app:',
    `  ${firstCurl(facts)}`,
    '',
  ].join('\n');
}

function sandboxLines({ sandbox, refused }: ProbedSandbox): string[] {
  const lines = refused.map(({ tier, problem, mend }) => `    not ${tier}: ${problem}. ${mend}`);
  return sandbox.tier === 'none'
    ? [
        '  sandbox      NONE: a run can do whatever the gateway can',
        ...(lines.length > 0 ? lines : ['    SANDBOX=none was set']),
      ]
    : [`  sandbox      ${sandbox.tier}`, ...lines];
}

function claudeLine(claude: StartFacts['claude']): string {
  return claude instanceof ClaudeUnavailableError
    ? `  claude       MISSING: ${claude.message}. npm ci installs the pinned one`
    : `  claude       ${claude.version}, ${claude.program.path}`;
}

function credentialLines({ source, configDir, unused, mend }: ClaudeCredential): string[] {
  const named = source === 'login' ? `the login in ${configDir}` : source;
  return [
    source === 'none' ? `  credential   NONE: ${mend}` : `  credential   ${named}`,
    ...(unused.length === 0 ? [] : [`    set as well, but not used: ${unused.join(', ')}`]),
  ];
}

function firstCurl({ url, adminTokenFile }: StartFacts): string {
  const token = adminTokenFile === null ? '$ADMIN_BOOTSTRAP_TOKEN' : `$(cat ${adminTokenFile})`;
  return [
    `curl -s ${url}/admin/tokens -H "Authorization: Bearer ${token}"`,
    `-H 'Content-Type: application/json' -d '{"name":"my-app"}'`,
  ].join(' ');
}
