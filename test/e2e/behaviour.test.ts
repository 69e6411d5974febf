import {
  errorReply,
  hangReply,
  structuredReply,
  textReply,
  toolReply,
} from '../../cli/model-stub-reply.ts';
import type { StubReply } from '../../cli/model-stub-reply.ts';
import { modelOf, systemText, userText } from '../../cli/model-stub-request.ts';
import { describeBehaviour } from '../support/behaviour-suite.ts';
import type { BehaviourWorld, Wish } from '../support/behaviour-suite.ts';
import { startModelGateway } from '../support/model-gateway.ts';

function replyTo(wish: Wish): StubReply {
  switch (wish.does) {
    case 'say':
      return textReply(wish.text);
    case 'structure':
      return structuredReply(wish.value);
    case 'fail':
      return errorReply(wish.status);
    case 'say nothing':
      return textReply([]);
    case 'fall silent':
      return hangReply('message_start');
    case 'use a tool':
      return toolReply('Read', { file_path: '/etc/hostname' });
    case 'say prose for a schema':
      return textReply('prose');
  }
}

async function startRealWorld(): Promise<BehaviourWorld> {
  const gateway = await startModelGateway();
  return {
    gateway,
    ask: (wish, request, signal) => gateway.ask(replyTo(wish), request, signal),
    async listen(request) {
      await gateway.ask(textReply('heard'), request);
      const [call] = gateway.model.calls;
      if (call === undefined) throw new Error('the model was not asked');
      return { prompt: userText(call), system: systemText(call), model: modelOf(call) };
    },
    [Symbol.asyncDispose]: () => gateway[Symbol.asyncDispose](),
  };
}

describeBehaviour('the real CLI', startRealWorld);
