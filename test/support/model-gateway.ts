import { echoReply } from '../../cli/model-stub-reply.ts';
import type { StubReply } from '../../cli/model-stub-reply.ts';
// A gateway with the pinned CLI in its sandbox and the model stub behind it: everything real but the model.
import { startModelStub } from '../../cli/model-stub.ts';
import type { ModelStub, StubReplyFunction } from '../../cli/model-stub.ts';
import type { Answer } from './gateway-client.ts';
import { startTestGateway } from './test-gateway.ts';
import type { TestGateway, TestGatewayOptions } from './test-gateway.ts';

export type ModelGateway = TestGateway & {
  model: ModelStub;
  /** Sets what the model answers from now on, and forgets its earlier calls. */
  answerWith: (reply: StubReplyFunction) => void;
  /** Sets what the model answers from now on, forgets its earlier calls, and asks it as an app. */
  ask: (
    reply: StubReply | StubReplyFunction,
    request?: Record<string, unknown>,
    signal?: AbortSignal,
  ) => Promise<Answer>;
};

/** @param env on top of: the pinned CLI, SANDBOX=require, and an API key. */
export async function startModelGateway(
  env: Record<string, string> = {},
  options: Pick<TestGatewayOptions, 'clock'> = {},
): Promise<ModelGateway> {
  const opened = new AsyncDisposableStack();
  try {
    let answer: StubReplyFunction = echoReply;
    const model = opened.use(
      await startModelStub({ reply: (request, index) => answer(request, index) }),
    );
    const gateway = opened.use(
      await startTestGateway({
        ...options,
        env: {
          ...{ CLAUDE_BIN: '', SANDBOX: 'require', ANTHROPIC_BASE_URL: model.url },
          ...{ SHUTDOWN_GRACE_SECS: '0', ...env },
        },
      }),
    );
    const token = await gateway.mint('app');
    const answerWith = (reply: StubReplyFunction): void => {
      answer = reply;
      model.calls.length = 0;
    };
    return {
      ...gateway,
      model,
      answerWith,
      ask(reply, request, signal) {
        answerWith(typeof reply === 'function' ? reply : () => reply);
        return gateway.run(token, { prompt: 'hello', ...request }, signal);
      },
      [Symbol.asyncDispose]: () => opened.disposeAsync(),
    };
  } catch (err) {
    await opened.disposeAsync();
    throw err;
  }
}
