// What we rely on when we speak to the pinned CLI: an upgrade that changes it fails here, not in production.
import { describe, expect, it } from 'vitest';

import { errorReply, textReply } from '../../cli/model-stub-reply.ts';
import { systemText, toolSchema, userText } from '../../cli/model-stub-request.ts';
import { answerTo, converse, say } from '../support/claude-conversation.ts';

const schema = {
  type: 'object',
  properties: { city: { type: 'string' } },
  required: ['city'],
  additionalProperties: false,
};

describe('what the API is asked', () => {
  it.each([
    ['an absolute mention', 'read @/etc/hostname and say it'],
    ['a mention of the home', '@~/.claude.json'],
    ['a mention up the tree', 'see @../../package.json or @"a b.txt"'],
    ['a command', '/cost'],
    ['a command with words', '/compact now'],
    ['an unknown command', '/nothing-known x'],
    ['a shell line', '!id'],
    ['a leading dash', '--model opus -p'],
    ['quotes and shell characters', `'"\`$(id)\` \\ \${HOME} %s "'`],
    ['emoji and combining marks', '👩‍👩‍👧‍👦 e\u0301 \u{10FFFF} \u202Eabc'],
    ['control characters', 'a\u0001\u0007\u001B[31m\u007F\u0085b'],
    ['line ends', 'a\r\nb\tc\u2028d\u2029e\n'],
    ['white space around it', ' \n\t x \n '],
    ['a byte order mark', '\uFEFFx'],
    ['JSON of the protocol', '{"type":"control_request","request":{"subtype":"interrupt"}}\n'],
  ])('gets %s byte for byte', async (_name, prompt) => {
    const { calls, requests, result, code } = await converse([
      say.initialize(),
      say.settings({ model: 'sonnet' }),
      say.user(prompt),
    ]);
    expect(calls.map(userText)).toEqual([prompt]);
    expect(requests).toHaveLength(1);
    expect({ code, isError: result?.['is_error'] }).toEqual({ code: 0, isError: false });
  });

  it('gets a prompt literally with --restricted too', async () => {
    const prompt = '/cost @/etc/hostname';
    const { calls } = await converse([say.initialize(), say.user(prompt)], {
      flags: ['--restricted'],
    });
    expect(calls.map(userText)).toEqual([prompt]);
  });

  it('gets two million characters, and three million not at all', async () => {
    const prompt = 'word '.repeat(400_000);
    const { calls } = await converse([say.initialize(), say.user(prompt)]);
    expect(calls.map(userText)).toEqual([prompt]);

    const long = await converse([say.initialize(), say.user('word '.repeat(600_000))]);
    expect(long.calls).toEqual([]);
    expect(long.result).toMatchObject({ is_error: true, terminal_reason: 'blocking_limit' });
  });

  it('gets our system prompt after two blocks of the CLI, no tools, our key and nothing of a user', async () => {
    const system = '  Line one\n"two" @/etc/hostname /cost 🎈  ';
    const { calls } = await converse([say.initialize({ systemPrompt: [system] }), say.user('hi')]);
    const [call] = calls;
    expect(call?.body?.['tools']).toEqual([]);
    expect(systemText(call!).endsWith(`\n\n${system}`)).toBe(true);
    expect(call?.body?.['system']).toHaveLength(3);
    expect(call?.headers['x-api-key']).toBe('sk-test-contract');
    expect(call?.path).toBe('/v1/messages?beta=true');
  });

  it('gets no third system block for an empty list', async () => {
    const { calls } = await converse([say.initialize({ systemPrompt: [] }), say.user('hi')]);
    expect(calls[0]?.body?.['system']).toHaveLength(2);
  });
});

describe('initialize with a schema', () => {
  it('offers it verbatim as the input of StructuredOutput', async () => {
    const { calls, init, result } = await converse([
      say.initialize({ jsonSchema: schema }),
      say.user('where?'),
    ]);
    expect(toolSchema(calls[0]!, 'StructuredOutput')).toEqual(schema);
    expect(init?.['tools']).toEqual(['StructuredOutput']);
    expect(result).toMatchObject({
      ...{ subtype: 'success', is_error: false, structured_output: { city: 'stub' } },
    });
  });

  it.each([
    ['an unknown type', { type: 'objekt' }],
    ['an unknown keyword', { ...schema, flavour: 1 }],
    ['another draft', { ...schema, $schema: 'https://json-schema.org/draft/2020-12/schema' }],
    ['a reference to nothing', { type: 'object', properties: { a: { $ref: '#/nothing' } } }],
    ['a bad pattern', { type: 'object', properties: { a: { type: 'string', pattern: '(' } } }],
  ])('drops it silently when it has %s', async (_name, jsonSchema) => {
    const { calls, init, lines, result } = await converse([
      say.initialize({ jsonSchema }),
      say.user('where?'),
    ]);
    expect(answerTo(lines, 'initialize')).toMatchObject({ subtype: 'success' });
    expect({ sent: calls[0]?.body?.['tools'], init: init?.['tools'] }).toEqual({
      ...{ sent: [], init: [] },
    });
    expect(result).toMatchObject({ subtype: 'success', is_error: false });
    expect(result).not.toHaveProperty('structured_output');
  });
});

describe('the model', () => {
  it.each([
    ['sonnet', /^claude-sonnet-/],
    ['opus', /^claude-opus-/],
    ['haiku', /^claude-haiku-/],
  ])('%s is an alias for a full id, by settings and by set_model', async (alias, id) => {
    for (const choose of [say.settings({ model: alias }), say.setModel(alias)]) {
      const { calls, init } = await converse([say.initialize(), choose, say.user('hi')]);
      expect(calls).toHaveLength(1);
      expect(calls[0]?.body?.['model']).toMatch(id);
      expect(init?.['model']).toBe(calls[0]?.body?.['model']);
    }
  });

  it('set by settings is asked for as it is, without a call of its own', async () => {
    const { calls, lines } = await converse([
      say.initialize(),
      say.settings({ model: 'claude-none-9', effortLevel: 'low' }),
      say.user('hi'),
    ]);
    expect(calls.map((call) => call.body?.['model'])).toEqual(['claude-none-9']);
    expect(answerTo(lines, 'settings')).toEqual({ subtype: 'success', request_id: 'settings' });
  });

  it('set by set_model costs a call of its own, and when that fails the default model answers', async () => {
    const { calls, lines, result } = await converse(
      [say.initialize(), say.setModel('claude-none-9'), say.user('hi')],
      {
        reply: (request) =>
          request.body?.['stream'] === true ? textReply('from another model') : errorReply(404),
      },
    );
    expect(answerTo(lines, 'set_model')).toMatchObject({
      subtype: 'error',
      error_code: 'not_found',
    });
    expect(calls[0]?.body).toMatchObject({ model: 'claude-none-9', max_tokens: 1 });
    expect(calls[1]?.body?.['model']).toMatch(/^claude-opus-/);
    expect(result).toMatchObject({ is_error: false, result: 'from another model' });
  });

  it('is replaced silently when it is retired; init and the answer name the new one', async () => {
    const { init, lines } = await converse([
      say.initialize(),
      say.settings({ model: 'claude-opus-4-1' }),
      say.user('hi'),
    ]);
    const answer = lines.find((line) => line['type'] === 'assistant');
    expect(init?.['model']).toMatch(/^claude-opus-5/);
    expect(answer?.['message'].model).toBe(init?.['model']);
  });

  it.each(['low', 'medium', 'high', 'xhigh', 'max'])(
    'works with effort %s',
    async (effortLevel) => {
      const { calls } = await converse([
        say.initialize(),
        say.settings({ model: 'sonnet', effortLevel }),
        say.user('hi'),
      ]);
      expect(calls[0]?.body?.['output_config']).toEqual({ effort: effortLevel });
    },
  );
});
