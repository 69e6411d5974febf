// Signs that the CLI cannot go on with a conversation. Observed with the pinned CLI: test/e2e/sessions.test.ts.
import type { ExecutionReport } from '../runs/run-execution.ts';

const noConversation = /No conversation found|is already in use/;
/** The API refuses a history in which a tool was called and never answered, as a kill may leave it. */
const brokenHistory = /tool[ _]use/i;

export function isConversationLost({ transcript, exit }: ExecutionReport): boolean {
  const { result } = transcript;
  if (result === null) return noConversation.test(exit?.stderrTail ?? '');
  if (result.errors?.some((error) => noConversation.test(error)) === true) return true;
  return (
    result.is_error && result.api_error_status === 400 && brokenHistory.test(result.result ?? '')
  );
}
