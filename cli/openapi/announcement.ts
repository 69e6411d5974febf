// Breaking changes are announced in CHANGELOG.md before they are made.
import type { BreakingChange } from './breaking-changes.ts';

/** Those of operations that no line of "Unreleased" names. */
export function unannounced(
  changes: readonly BreakingChange[],
  changelog: string,
): BreakingChange[] {
  const lines = announcements(changelog);
  return changes.filter(({ operation }) => !lines.some((line) => names(line, operation)));
}

/** What to tell whoever made them. */
export function breakingMessage(changes: readonly BreakingChange[], file: string): string {
  const [first] = changes;
  return [
    `This breaks apps that were written for ${file}:`,
    ...changes.map(({ operation, change }) => `  ${operation}: ${change}`),
    'Take it back, or announce it: in CHANGELOG.md, under "Unreleased", a line for each operation such as',
    `  - Breaking: \`${first?.operation ?? ''}\` ...`,
    'Then run: npm run openapi',
  ].join('\n');
}

/** Each with the lines that go on under it. */
function announcements(changelog: string): string[] {
  const [, unreleased = ''] = changelog.split(/^## Unreleased$/m);
  const [part = ''] = unreleased.split(/^## /m);
  return part.split(/^(?=- )/m).filter((line) => line.startsWith('- Breaking:'));
}

/** Not as the beginning of a longer path. */
function names(line: string, operation: string): boolean {
  const at = line.indexOf(operation);
  if (at < 0) return false;
  const rest = line.slice(at + operation.length);
  return !/^[\w/{-]/.test(rest) || names(rest, operation);
}
