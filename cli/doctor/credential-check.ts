// What the runs sign in with, and whether one of them has shown that it works. No secret is looked at here, let alone shown.
import type { ClaudeCredential } from '../../gateway/claude/claude-credential.ts';
import { termsNotice } from '../../gateway/claude/terms-notice.ts';
import { fail, pass, warn } from './finding.ts';
import type { Finding } from './finding.ts';
import type { AnsweredHealth } from './running-gateway.ts';

export function judgeCredential(
  { source, configDir, unused, mend }: ClaudeCredential,
  baseUrl: string | null,
): Finding[] {
  const name = 'credential';
  if (source === 'none') return [fail(name, 'none', mend)];
  const named = source === 'login' ? `the login in ${configDir}` : source;
  // The URL may carry a password, its host does not.
  const where = baseUrl === null ? '' : `, for the API at ${new URL(baseUrl).host}`;
  const used = pass(name, `${named}${where}`);
  if (unused.length === 0) return [used];
  const others = unused.join(', ');
  return [
    used,
    warn(
      'unused credentials',
      `${others}: there as well, but ${named} goes first`,
      `take away what you do not mean: ${others}, or ${source}`,
    ),
  ];
}

/** ISO times of the newest run that ended so, null when there is none. */
export type SignInHistory = { completedAt: string | null; authFailedAt: string | null };

const probeMend = 'npm run doctor -- --probe makes one tiny run; it spends tokens';

export function judgeSignIn(
  { source, mend }: ClaudeCredential,
  authenticated: AnsweredHealth['authenticated'] | null,
  { completedAt, authFailedAt }: SignInHistory,
): Finding[] {
  const name = 'sign-in';
  if (source === 'none') return [];
  if (authenticated === true) return [pass(name, 'the running gateway has seen a run answered')];
  if (authenticated === false) {
    return [fail(name, 'the last run of the running gateway was not accepted', mend)];
  }
  if (authFailedAt !== null && (completedAt ?? '') < authFailedAt) {
    return [fail(name, `the last run that could tell, at ${authFailedAt}, was not accepted`, mend)];
  }
  if (completedAt !== null) return [pass(name, `a run was answered at ${completedAt}`)];
  return [warn(name, 'no run has shown yet that it works', probeMend)];
}

export function judgeTerms({ source }: ClaudeCredential, appCount: number): Finding[] {
  const name = 'terms of use';
  const notice = termsNotice(source, appCount);
  if (source === 'none') return [];
  return [
    notice === null
      ? pass(name, `${appCount} apps with ${source}`)
      : warn(name, notice, 'set ANTHROPIC_API_KEY; README says more (this is not legal advice)'),
  ];
}
