// What happens when the API does not take the credential, with the pinned CLI.
import { describe, expect, it } from 'vitest';

import { errorReply, textReply } from '../../cli/model-stub-reply.ts';
import { startModelGateway } from '../support/model-gateway.ts';

describe.each([
  ['an API key', {}, 'ANTHROPIC_API_KEY'],
  [
    'a subscription token',
    { ANTHROPIC_API_KEY: '', CLAUDE_CODE_OAUTH_TOKEN: 'sk-ant-oat01-dummy' },
    'claude setup-token',
  ],
])('%s that is not accepted', (_name, env: Record<string, string>, mend) => {
  it('is told with its mend, stops further runs, and works again once it is accepted', async () => {
    await using gateway = await startModelGateway({ AUTH_RETRY_SECS: '2.5', ...env });
    const unknown = await gateway.fetch('/healthz');
    expect(unknown.body).toMatchObject({ ok: true, authenticated: 'unknown' });

    const first = await gateway.ask(errorReply(401, 'invalid credential'));
    expect(first).toMatchObject({ status: 503, body: { error: { code: 'auth' } } });
    expect(gateway.model.calls.length).toBeLessThanOrEqual(3);
    const refused = await gateway.fetch('/healthz');
    expect(refused.body).toMatchObject({ ok: false, authenticated: false });
    expect((await gateway.fetch('/readyz')).status).toBe(503);

    const second = await gateway.ask(textReply('not asked'));
    expect(second).toMatchObject({ status: 503, body: { error: { code: 'auth' } } });
    expect(second.body.error.message).toContain(mend);
    expect(gateway.model.calls).toEqual([]);

    await expect
      .poll(async () => (await gateway.ask(textReply('works'))).status, { timeout: 20_000 })
      .toBe(200);
    expect((await gateway.fetch('/healthz')).body).toMatchObject({ authenticated: true });
  });
});

it('is told when there is no credential at all, without a call', async () => {
  await using gateway = await startModelGateway({ ANTHROPIC_API_KEY: '' });
  const { status, body } = await gateway.ask(textReply('not asked'));
  expect({ status, code: body.error.code }).toEqual({ status: 503, code: 'auth' });
  expect(gateway.model.calls).toEqual([]);
});

it('sends exactly one of several credentials, the API key first', async () => {
  await using gateway = await startModelGateway({
    ...{ ANTHROPIC_API_KEY: 'sk-test-key', ANTHROPIC_AUTH_TOKEN: 'auth-token' },
    CLAUDE_CODE_OAUTH_TOKEN: 'sk-ant-oat01-dummy',
  });
  await gateway.ask(textReply('ok'));
  const headers = gateway.model.calls[0]?.headers;
  expect(headers).toMatchObject({ 'x-api-key': 'sk-test-key' });
  expect(headers?.authorization).toBeUndefined();
});
