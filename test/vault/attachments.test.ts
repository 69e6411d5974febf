// Files of events: what is taken, who reads it, and that nothing is left of what did not come whole.
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, test } from 'vitest';

import { createSteppingClock } from '../support/stepping-clock.ts';
import { bytesOfForm, startUpload } from '../support/upload-form.ts';
import type { Part } from '../support/upload-form.ts';
import { createTestDatabase, vaultDatabases } from '../support/vault-databases.ts';
import {
  attachTo,
  fetchAttachment,
  postParts,
  samples,
  sha256Of,
  storedFiles,
  uploadTo,
} from '../support/vault-uploads.ts';
import { startTestVault } from '../support/vault-world.ts';

const file = (body: string | Buffer): Part => ({ name: 'file', fileName: 'a.txt', body });
const message = (attachments: string[]) => ({ event_type: 'user_message', attachments });

describe.each(vaultDatabases)('on %s', (kind) => {
  test('a file is uploaded, named by one event, and read by whoever reads the feed', async () => {
    await using world = await startTestVault(kind);
    const ada = await world.person('admin', 'ada');
    const eve = await world.person('agent', 'eve');
    const viewer = await world.person('viewer');
    const agentId = await world.agent(ada.token);
    const otherId = await world.agent(ada.token);
    const bound = await world.key(ada.userId, { agents: [agentId] });
    const elsewhere = await world.key(ada.userId, { agents: [otherId] });

    const uploaded = await uploadTo(world, eve.token, agentId, samples.png, { name: 'Größe.png' });
    expect(uploaded.status).toBe(201);
    const { attachment_id: id, ...facts } = uploaded.body.data;
    const sha256 = sha256Of(samples.png);
    const view = { name: 'Größe.png', media_type: 'image/png', size: samples.png.length, sha256 };
    expect(facts).toEqual(view);
    expect(uploaded.headers.get('location')).toBe(`/api/v1/attachments/${id}`);
    const path = join(world.dataDir, 'attachments', id);
    expect(readFileSync(path)).toEqual(samples.png);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(join(path, '..')).mode & 0o777).toBe(0o700);

    const readable = async (token: string): Promise<number> => {
      const response = await fetchAttachment(world, token, id);
      await response.arrayBuffer();
      return response.status;
    };
    // No event has named it: it is its uploader's alone.
    expect(await readable(eve.token)).toBe(200);
    expect(await readable(ada.token)).toBe(404);
    expect(await readable(bound.token)).toBe(404);

    const event = await world.post(ada.token, agentId, message([id]));
    expect(event.attachments).toEqual([{ attachment_id: id, ...view }]);
    for (const { token } of [ada, eve, viewer, bound]) expect(await readable(token)).toBe(200);
    const refused = await fetchAttachment(world, elsewhere.token, id);
    const unknown = await fetchAttachment(world, elsewhere.token, `att_${'0'.repeat(26)}`);
    expect([refused.status, unknown.status]).toEqual([404, 404]);
    const { error } = JSON.parse(await refused.text());
    expect(error).toEqual(JSON.parse(await unknown.text()).error);
    expect((await world.call(null, `/attachments/${id}`)).status).toBe(401);

    const post = (to: string, ids: string[]) =>
      world.call(ada.token, `/agents/${to}/events`, { body: message(ids) });
    const free = await attachTo(world, ada.token, agentId, 'free');
    for (const [to, ids] of [
      [agentId, [id]],
      [otherId, [free]],
      [agentId, [free, `att_${'0'.repeat(26)}`]],
    ] as const) {
      expect(await post(to, [...ids])).toMatchObject({
        status: 404,
        body: { error: { code: 'not_found', details: { field: 'attachments' } } },
      });
    }
    expect((await post(agentId, [free, free])).status).toBe(400);
    expect((await post(agentId, [free])).status).toBe(201);
    const upload = (token: string, to: string) => uploadTo(world, token, to, 'x');
    expect((await upload(viewer.token, agentId)).status).toBe(403);
    expect((await upload(elsewhere.token, agentId)).status).toBe(404);
    expect((await upload(ada.token, `agent_${'0'.repeat(26)}`)).status).toBe(404);

    const { items } = await world.vault.audit.list(world.vault.database.reads, {
      ...{ action: 'attachment.uploaded', before: 1e9, limit: 10 },
    });
    expect(items.map(({ resource }) => resource)).toEqual([
      `attachment:${free}`,
      `attachment:${id}`,
    ]);
    // One of two who name the same file gets it.
    const wanted = await attachTo(world, ada.token, agentId, 'wanted');
    const both = await Promise.all([1, 2, 3, 4].map(() => post(agentId, [wanted])));
    expect(both.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(both.filter(({ status }) => status === 404)).toHaveLength(3);
  });

  test('what is read is what was sent, whatever it is called, and no page can be made of it', async () => {
    await using world = await startTestVault(kind);
    const { token } = await world.person('admin');
    const agentId = await world.agent(token);
    const long = 'é'.repeat(400);
    const names: [sent: string, kept: string, plain: string, whole: string][] = [
      // The parser of forms keeps what follows the last separator.
      ['../x', 'x', 'x', 'x'],
      [String.raw`..\x`, 'x', 'x', 'x'],
      ['/etc/passwd', 'passwd', 'passwd', 'passwd'],
      ['.', 'file', 'file', 'file'],
      ['', 'file', 'file', 'file'],
      ['a\0b.txt', 'ab.txt', 'ab.txt', 'ab.txt'],
      ['-rf', '-rf', '-rf', '-rf'],
      ['CON', 'CON', 'CON', 'CON'],
      [long, 'é'.repeat(255), '_'.repeat(255), '%C3%A9'.repeat(255)],
      ['\u202Etxt.exe', 'txt.exe', 'txt.exe', 'txt.exe'],
      ['שלום.txt', 'שלום.txt', '____.txt', '%D7%A9%D7%9C%D7%95%D7%9D.txt'],
      ['same', 'same', 'same', 'same'],
      ['same', 'same', 'same', 'same'],
      ['\u00e9', '\u00e9', '_', '%C3%A9'],
      ['e\u0301', 'e\u0301', 'e_', 'e%CC%81'],
      ["a'b(c)*%41;x=\u{1F600}!", "a'b(c)*%41;x=\u{1F600}!", "a'b(c)*_41;x=_!", ''],
    ];
    const ids = new Set<string>();
    for (const [sent, kept, plain, whole] of names) {
      const form = bytesOfForm([{ name: 'file', fileName: sent, body: samples.text }]);
      const { status, body, text } = await postParts(world, token, agentId, form);
      expect({ sent, status, text }).toMatchObject({ status: 201 });
      expect(body.data.name).toBe(kept);
      ids.add(body.data.attachment_id);
      const read = await fetchAttachment(world, token, body.data.attachment_id);
      expect(Buffer.from(await read.arrayBuffer())).toEqual(samples.text);
      const encoded = whole === '' ? 'a%27b%28c%29%2A%2541%3Bx%3D%F0%9F%98%80%21' : whole;
      expect(read.headers.get('content-disposition')).toBe(
        `attachment; filename="${plain}"; filename*=UTF-8''${encoded}`,
      );
    }
    expect(ids.size).toBe(names.length);
    expect(storedFiles(world)).toEqual([...ids].toSorted());
    const unnamed = await postParts(world, token, agentId, [{ name: 'file', body: 'x' }]);
    expect(unnamed.body.data.name).toBe('file');

    const types: [keyof typeof samples, type: string, disposition: string][] = [
      ['text', 'text/plain; charset=utf-8', 'attachment'],
      ['png', 'image/png', 'inline'],
      ['jpeg', 'image/jpeg', 'inline'],
      ['gif', 'image/gif', 'inline'],
      ['webp', 'image/webp', 'inline'],
      ['pdf', 'application/pdf', 'attachment'],
    ];
    for (const [sample, type, disposition] of types) {
      // Not what its name says, but what it is.
      const answer = await uploadTo(world, token, agentId, samples[sample], { name: 'a.html' });
      expect(answer.body.data.media_type).toBe(type.split(';')[0]);
      const read = await fetchAttachment(world, token, answer.body.data.attachment_id);
      expect(Buffer.from(await read.arrayBuffer())).toEqual(samples[sample]);
      expect(Object.fromEntries(read.headers)).toMatchObject({
        'content-type': type,
        'content-length': String(samples[sample].length),
        'content-disposition': expect.stringMatching(`^${disposition}; filename="a.html"`),
        'content-security-policy': "default-src 'none'; sandbox",
        'x-content-type-options': 'nosniff',
        'cache-control': 'private',
        etag: `"${sha256Of(samples[sample])}"`,
      });
    }
    const id = await attachTo(world, token, agentId, '<script>alert(1)</script>');
    const first = await fetchAttachment(world, token, id);
    await first.text();
    expect(first.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    const etag = first.headers.get('etag') ?? '';
    const ask = async (value: string): Promise<number> =>
      (await fetchAttachment(world, token, id, { headers: { 'if-none-match': value } })).status;
    expect([await ask(etag), await ask(`"x", W/${etag}`), await ask('"x"')]).toEqual([
      304, 304, 200,
    ]);
    const head = await fetchAttachment(world, token, id, { method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([200, '']);

    writeFileSync(join(world.dataDir, 'attachments', id), 'cut');
    expect((await fetchAttachment(world, token, id)).status).toBe(404);
    for (const wrong of [
      '..%2f..%2fvault.db',
      id.toUpperCase(),
      `${id}x`,
      'a%00b',
      'x'.repeat(1e4),
    ]) {
      expect([400, 404, 414, 431]).toContain((await fetchAttachment(world, token, wrong)).status);
    }
  });

  test('what is too large, of another type or no form is refused, and leaves nothing', async () => {
    await using world = await startTestVault(kind, {
      env: { ATTACHMENT_LIMIT_MB: '0.0625', ATTACHMENTS_QUOTA_MB: '0.125' },
    });
    const { token } = await world.person('admin');
    const agentId = await world.agent(token);
    const limit = 2 ** 16;
    const refusals: [Part[] | Buffer, number, Record<string, string>?][] = [
      [[], 400],
      [[file('')], 400],
      [[{ name: 'ttl_secs', body: '60' }, file('x')], 400],
      [[{ ...file('x'), name: 'files' }], 400],
      [[file('x'), file('y')], 413],
      [[file('x'.repeat(limit + 1))], 413],
      [[file('x'.repeat(3 * 2 ** 20))], 413],
      [[file(Buffer.from([0x7f, 0x45, 0x4c, 0x46, 0, 0, 0, 0]))], 415],
      [[file(Buffer.from([0xc3]))], 415],
      [[file('a\0b')], 415],
      [[file(Buffer.from('PK\u0003\u0004'.padEnd(40, '\u0001') + '\0'))], 415],
      [bytesOfForm([file('x')], false), 400],
      [[file('x')], 415, { 'content-type': 'application/json' }],
      [[file('x')], 415, { 'content-encoding': 'gzip' }],
      [[file('x')], 400, { 'idempotency-key': 'x'.repeat(256) }],
    ];
    for (const [parts, status, headers = {}] of refusals) {
      const answer = await postParts(world, token, agentId, parts, headers);
      const index = refusals.findIndex((each) => each[0] === parts);
      expect({ index, status: answer.status }).toEqual({ index, status });
      expect(answer.body).toMatchObject({ success: false, error: { retryable: false } });
    }
    const types = await postParts(world, token, agentId, [file('a\0b')]);
    expect(types.body.error.message).toContain('PDF');
    expect(storedFiles(world)).toEqual([]);

    const whole = await attachTo(world, token, agentId, 'x'.repeat(limit));
    // Two of the limit are the quota less a byte.
    await attachTo(world, token, agentId, 'y'.repeat(limit - 1));
    const full = await uploadTo(world, token, agentId, 'zzzz');
    expect(full).toMatchObject({ status: 413, body: { error: { code: 'payload_too_large' } } });
    expect(full.body.error.message).toContain('quota');
    expect(storedFiles(world)).toHaveLength(2);
    expect(storedFiles(world)).toContain(whole);

    const { items } = await world.vault.audit.list(world.vault.database.reads, {
      ...{ action: 'attachment.uploaded', before: 1e9, limit: 100 },
    });
    expect(items).toHaveLength(2);
    await world.call(token, `/agents/${agentId}`, {
      method: 'DELETE',
      headers: { 'if-match': '1' },
    });
    expect((await uploadTo(world, token, agentId, 'x')).status).toBe(409);
    const errors = world.logged().filter(({ level }) => level === 'error' || level === 'fatal');
    expect(errors).toEqual([]);
  });

  test('an upload that is cut off leaves nothing, and one under way when the vault stops is told so', async () => {
    await using world = await startTestVault(kind);
    const { token } = await world.person('admin');
    const agentId = await world.agent(token);
    const path = `/api/v1/agents/${agentId}/attachments`;
    const form = bytesOfForm([{ name: 'file', fileName: 'a', body: 'x'.repeat(300_000) }]);
    const start = () => startUpload(world, token, form.length, form.subarray(0, 200_000), [], path);
    for (const end of ['destroy', 'resetAndDestroy', 'end'] as const) {
      const { socket } = start();
      await expect.poll(() => storedFiles(world)).toHaveLength(1);
      socket[end]();
      await expect.poll(() => storedFiles(world)).toEqual([]);
    }
    const { answer } = start();
    await expect.poll(() => storedFiles(world)).toHaveLength(1);
    const { dataDir } = world;
    const closing = world.vault.app.close();
    expect(await answer).toMatch(/^HTTP\/1.1 503 /);
    await closing;
    expect(storedFiles({ dataDir })).toEqual([]);
  });

  test('an upload sent again under its key is done once, also when the quota is full', async () => {
    await using world = await startTestVault(kind, { env: { ATTACHMENTS_QUOTA_MB: '0.001' } });
    const { token } = await world.person('admin');
    const other = await world.person('admin');
    const agentId = await world.agent(token);
    const send = (bytes: string, name = 'a.txt', as = token) =>
      uploadTo(world, as, agentId, bytes, { name, key: 'one' });
    const bytes = 'x'.repeat(800);
    const together = await Promise.all([send(bytes), send(bytes)]);
    const made = together.filter(({ headers }) => !headers.has('idempotent-replayed'));
    expect(made.map(({ status }) => status).filter((status) => status === 201)).toHaveLength(1);
    const [first] = made.filter(({ status }) => status === 201);
    const again = await send(bytes);
    expect(again.status).toBe(201);
    expect(again.headers.get('idempotent-replayed')).toBe('true');
    expect(again.text).toBe(first?.text);
    expect((await send('y')).body.error.code).toBe('idempotency_mismatch');
    expect((await send(bytes, 'b.txt')).status).toBe(422);
    expect((await send('z', 'a.txt', other.token)).status).toBe(201);
    expect(storedFiles(world)).toHaveLength(2);
  });

  test('what no event names goes after a day, and what a crash left goes at the start', async () => {
    const clock = createSteppingClock();
    await using database = await createTestDatabase(kind);
    const first = await startTestVault(kind, { clock, database, keep: true });
    const { dataDir } = first;
    const { userId } = await first.person('admin');
    const { token } = await first.key(userId);
    const agentId = await first.agent(token);
    const used = await attachTo(first, token, agentId, 'used');
    const unused = await attachTo(first, token, agentId, 'unused');
    await first.post(token, agentId, message([used]));
    const ofDelta = await attachTo(first, token, agentId, 'of a piece of an answer');
    const question = await first.post(token, agentId, { event_type: 'user_message', content: '?' });
    const reply = { reply_to: question.event_id, content: '!' };
    const delta = { event_type: 'assistant_delta', attachments: [ofDelta] };
    await first.post(token, agentId, { ...delta, ...reply });
    await first.post(token, agentId, { event_type: 'assistant_message', ...reply });
    await first.close();

    const leftOver = join(dataDir, 'attachments', `att_${'z'.repeat(26)}`);
    writeFileSync(leftOver, 'renamed, and never entered');
    writeFileSync(join(dataDir, 'attachments', 'incoming', 'abc'), 'half');
    writeFileSync(join(dataDir, 'attachments', 'somebody-else'), 'not ours');
    clock.step(23 * 3_600_000);
    const second = await startTestVault(kind, { clock, database, dataDir, keep: true });
    expect(storedFiles(second)).toEqual([used, unused, ofDelta, 'somebody-else'].toSorted());
    const fresh = await attachTo(second, token, agentId, 'fresh');
    await second.close();

    clock.step(2 * 3_600_000);
    const third = await startTestVault(kind, { clock, database, dataDir, keep: true });
    await expect.poll(() => storedFiles(third)).toEqual([used, fresh, 'somebody-else'].toSorted());
    expect((await fetchAttachment(third, token, used)).status).toBe(200);
    expect((await fetchAttachment(third, token, ofDelta)).status).toBe(404);
    await third.close();

    // Another database by mistake must not cost the files of this one.
    await using wrong = await createTestDatabase(kind);
    if (kind === 'sqlite') rmSync(join(dataDir, 'vault.db'));
    if (kind === 'sqlite') rmSync(join(dataDir, 'vault.db-wal'), { force: true });
    await using fourth = await startTestVault(kind, { database: wrong, dataDir });
    expect(storedFiles(fourth)).toEqual([used, fresh, 'somebody-else'].toSorted());
  });
});
