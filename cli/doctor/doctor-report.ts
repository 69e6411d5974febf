// How findings are shown: lines for a person, one JSON document for a program.
import type { Finding } from './finding.ts';

/** Failures only: a warning may be how the operator wants it. */
export function exitCodeFor(findings: readonly Finding[]): 0 | 1 {
  return findings.some(({ status }) => status === 'fail') ? 1 : 0;
}

export function textLines(finding: Finding): string {
  const { status, name, seen, mend } = finding;
  const line = `${status}  ${oneLine(name).padEnd(24)}  ${oneLine(seen)}`;
  return mend === null ? line : `${line}\n      mend: ${oneLine(mend)}`;
}

export function textSummary(findings: readonly Finding[]): string {
  const { pass, warn, fail } = countByStatus(findings);
  return `${pass} passed, ${warn} warnings, ${fail} failures`;
}

export function jsonDocument(findings: readonly Finding[]): string {
  const document = {
    ok: exitCodeFor(findings) === 0,
    summary: countByStatus(findings),
    checks: findings,
  };
  return JSON.stringify(document, null, 2);
}

function countByStatus(findings: readonly Finding[]): Record<Finding['status'], number> {
  const count = (status: Finding['status']): number =>
    findings.filter((finding) => finding.status === status).length;
  return { pass: count('pass'), warn: count('warn'), fail: count('fail') };
}

/** What programs and files said may hold anything; a terminal must not obey it. */
function oneLine(text: string): string {
  return text
    .replaceAll(/\p{Cc}+/gu, ' ')
    .trim()
    .slice(0, 500);
}
