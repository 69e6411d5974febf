import { describeBehaviour } from '../support/behaviour-suite.ts';
import type { BehaviourWorld, Wish } from '../support/behaviour-suite.ts';
import { startTestGateway } from '../support/test-gateway.ts';

/** The lines of a prompt that make the fake CLI do it. */
function directivesFor(wish: Wish): string {
  switch (wish.does) {
    case 'say':
      return wish.text;
    case 'structure':
      return `@@schema-ok ${JSON.stringify(wish.value)}`;
    case 'fail':
      return `@@error ${wish.status}`;
    case 'say nothing':
      return '@@empty';
    case 'fall silent':
      return '@@init-then-silence';
    case 'use a tool':
      return '@@max-turns';
    case 'say prose for a schema':
      return '@@schema-missing';
  }
}

async function startFakeWorld(SANDBOX: string): Promise<BehaviourWorld> {
  const gateway = await startTestGateway({ env: { SANDBOX } });
  const token = await gateway.mint('app');
  return {
    gateway,
    ask: (wish, request, signal) =>
      gateway.run(token, { prompt: directivesFor(wish), ...request }, signal),
    async listen(request) {
      const prompt = String(request['prompt']);
      const echoed = await gateway.run(token, { ...request, prompt });
      const reported = await gateway.run(token, { ...request, prompt: `@@report\n${prompt}` });
      const { told } = reported.body.result;
      return { prompt: echoed.body.result, system: told.system.join('\n'), model: told.model };
    },
    [Symbol.asyncDispose]: () => gateway[Symbol.asyncDispose](),
  };
}

describeBehaviour('the fake CLI', () => startFakeWorld('none'));
describeBehaviour('the fake CLI in its sandbox', () => startFakeWorld('require'));
