// What went wrong, as a sentence that says what to do.
import { VaultError } from '#shared/vault-client-error.ts';

const hints: Readonly<Record<string, string>> = {
  unreachable:
    'The vault cannot be reached. Look at your network, or whether it runs; this page goes on by itself.',
  no_answer: 'The vault does not answer. This page tries again by itself.',
  forbidden: 'You may not do this. An admin can change your role.',
  precondition_failed:
    'Somebody else has changed it meanwhile. Look at it as it is now, and try again.',
  draining: 'The vault is stopping. Try again in a moment.',
  internal: 'Something went wrong in the vault: its log says more.',
};

export function failureText(err: unknown): string {
  if (!(err instanceof VaultError)) {
    return `The page itself has failed: ${err instanceof Error ? err.message : String(err)}. Load it again.`;
  }
  const { code, message, retryAfterSecs } = err;
  const hint = hints[code];
  if (hint !== undefined) return code === 'forbidden' ? `${asSentence(message)} ${hint}` : hint;
  const wait = retryAfterSecs === undefined ? '' : ` Try again in ${waitText(retryAfterSecs)}.`;
  return asSentence(message) + wait;
}

export function asSentence(text: string): string {
  const trimmed = text.trim();
  if (trimmed === '') return '';
  return `${trimmed.slice(0, 1).toUpperCase()}${trimmed.slice(1)}`.replace(/[.!?]?$/, (end) =>
    end === '' ? '.' : end,
  );
}

function waitText(secs: number): string {
  return secs < 90 ? `${secs} seconds` : `${Math.ceil(secs / 60)} minutes`;
}
