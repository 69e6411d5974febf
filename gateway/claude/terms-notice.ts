// The fair word on terms of use, said where a personal credential serves more than one app.
import type { CredentialSource } from './claude-credential.ts';

const personal: readonly CredentialSource[] = ['login', 'CLAUDE_CODE_OAUTH_TOKEN'];

/** Null when there is nothing to say. */
export function termsNotice(source: CredentialSource, appCount: number): string | null {
  if (!personal.includes(source) || appCount < 2) return null;
  return (
    `${appCount} apps share one personal subscription: it is for your own apps and ordinary volume, and its limits are shared ` +
    'with your interactive use; Anthropic asks products and services for other people to use API keys'
  );
}
