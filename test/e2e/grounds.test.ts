// The pinned CLI answers on every ground the gateway may stand on.
import { describe, expect, it } from 'vitest';

import { textReply } from '../../cli/model-stub-reply.ts';
import { startModelStub } from '../../cli/model-stub.ts';
import {
  asNobody,
  nobodyCanRun,
  startHostileGateway,
  withMaskedProc,
} from '../support/hostile-gateway.ts';

async function answerOn(launcher: string[], sandbox: string) {
  await using model = await startModelStub({ reply: () => textReply('answered') });
  await using gateway = await startHostileGateway(launcher, {
    ...{ CLAUDE_BIN: '', ANTHROPIC_BASE_URL: model.url, SANDBOX: sandbox },
  });
  const { status, body } = await gateway.run(gateway.token, { prompt: 'hello' });
  const [{ details }] = (await gateway.audit('?limit=1')) as [{ details: { sandbox: string } }];
  return { status, result: body.result, tier: details.sandbox };
}

const answered = { status: 200, result: 'answered' };

describe('as the user of this test', () => {
  it.each([
    ['in its sandbox', [], 'require', 'bwrap'],
    ['where /proc is masked', withMaskedProc, 'require', 'bwrap-procbind'],
    ['without a sandbox', [], 'none', 'none'],
  ])('%s', async (_name, launcher, sandbox, tier) => {
    expect(await answerOn(launcher, sandbox)).toEqual({ ...answered, tier });
  });
});

// Skipped where nobody can be made such a user, or where that one cannot read the project.
describe.skipIf(!nobodyCanRun)('as an ordinary user', () => {
  it.each([
    ['in its sandbox', asNobody, 'require', 'bwrap'],
    ['where /proc is masked', [...withMaskedProc, ...asNobody], 'require', 'bwrap-procbind'],
    ['without a sandbox', asNobody, 'none', 'none'],
  ])('%s', async (_name, launcher, sandbox, tier) => {
    expect(await answerOn(launcher, sandbox)).toEqual({ ...answered, tier });
  });
});
