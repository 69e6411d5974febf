// What an upload leaves behind when it does not get to its end (NC-07), when its time is over, when the gateway is stopped: nothing.
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, test } from 'vitest';

import type { GatewayClient } from '../support/gateway-client.ts';
import { startGatewayProcess } from '../support/gateway-process.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { startTestGateway } from '../support/test-gateway.ts';
import { bytesOfForm, startUpload, upload } from '../support/upload-form.ts';

const text = Buffer.alloc(600_000, 'text ');
const form = bytesOfForm([{ name: 'file', fileName: 'a.txt', body: text }]);
const part = form.subarray(0, form.length * 0.4);

const close = ['Connection: close'];

function stored(dataDir: string): string[] {
  return readdirSync(join(dataDir, 'files')).filter((name) => name !== 'incoming');
}

function incoming(dataDir: string): string[] {
  return readdirSync(join(dataDir, 'files/incoming'));
}

function list(gateway: GatewayClient, token: string) {
  return gateway.fetch('/files', { headers: { authorization: `Bearer ${token}` } });
}

/** Room for one upload of this size, not for two. */
const env = { FILES_QUOTA_MB: '1', SHUTDOWN_GRACE_SECS: '0' };

describe('an upload that breaks off at 40 %', () => {
  test.each<[name: string, leave: (started: ReturnType<typeof startUpload>) => void]>([
    ['because the client is gone', ({ socket }) => socket.resetAndDestroy()],
    ['because the client closes the connection', ({ socket }) => socket.destroy()],
    ['because the client says that this was all', ({ socket }) => void socket.end()],
  ])('%s leaves no file and gives its quota back', async (_name, leave) => {
    await using gateway = await startTestGateway({ env });
    const token = await gateway.mint('app');
    for (let round = 0; round < 3; round += 1) {
      const started = startUpload(gateway, token, form.length, part);
      await expect.poll(() => incoming(gateway.dataDir).length).toBe(1);
      leave(started);
      await started.answer;
      await expect.poll(() => incoming(gateway.dataDir), { timeout: 1000 }).toEqual([]);
    }
    expect((await upload(gateway, token, text)).status).toBe(201);
    expect((await list(gateway, token)).body.items).toHaveLength(1);
    expect(gateway.logged().filter(({ level }) => level === 'error')).toEqual([]);
  });

  test('with its whole length but no end of the form is refused', async () => {
    await using gateway = await startTestGateway({ env });
    const token = await gateway.mint('app');
    const { answer } = startUpload(gateway, token, part.length, part, close);
    expect(await answer).toMatch(/^HTTP\/1.1 400 [^]*"code":"invalid_request"/);
    expect(incoming(gateway.dataDir)).toEqual([]);
    expect((await upload(gateway, token, text)).status).toBe(201);
  });

  test('and says nothing more is ended by the time limit of requests', async () => {
    await using gateway = await startTestGateway({ env: { ...env, REQUEST_TIMEOUT_SECS: '0.5' } });
    const token = await gateway.mint('app');
    const { answer } = startUpload(gateway, token, form.length, part);
    expect(await answer).toMatch(/^HTTP\/1.1 408 [^]*"code":"request_timeout"/);
    await expect.poll(() => incoming(gateway.dataDir), { timeout: 1000 }).toEqual([]);
  });

  test('is ended when the gateway stops', async () => {
    await using gateway = await startTestGateway({ env, keep: true });
    const token = await gateway.mint('app');
    const { answer } = startUpload(gateway, token, form.length, part);
    await expect.poll(() => incoming(gateway.dataDir).length).toBe(1);
    await gateway.close();
    expect(await answer).toMatch(/^HTTP\/1.1 503 [^]*"code":"draining"/);
    expect(incoming(gateway.dataDir)).toEqual([]);
  });
});

describe('a file that is refused while it is being sent', () => {
  const tooLong = Buffer.alloc(8 * 2 ** 20, 'x');
  const long = bytesOfForm([{ name: 'file', fileName: 'a', body: tooLong }]);

  test('leaves a connection that can be used again', async () => {
    await using gateway = await startTestGateway({ env: { UPLOAD_LIMIT_MB: '1' } });
    const token = await gateway.mint('app');
    const next = ['GET /livez HTTP/1.1', 'Host: localhost', 'Connection: close', '', ''];
    const body = Buffer.concat([long, Buffer.from(next.join('\r\n'))]);
    const { answer } = startUpload(gateway, token, long.length, body);
    expect((await answer).match(/HTTP\/1.1 \d+/g)).toEqual(['HTTP/1.1 413', 'HTTP/1.1 200']);
  });

  test('is answered before the rest has come', async () => {
    await using gateway = await startTestGateway({ env: { UPLOAD_LIMIT_MB: '1' } });
    const token = await gateway.mint('app');
    const { socket, answer } = startUpload(gateway, token, long.length, long.subarray(0, 2e6));
    await new Promise((resolve) => socket.once('data', resolve));
    socket.destroy();
    expect(await answer).toMatch(/^HTTP\/1.1 413 [^]*"code":"payload_too_large"/);
  });

  test('can read why on a connection that closes', async () => {
    await using gateway = await startTestGateway({ env: { UPLOAD_LIMIT_MB: '1' } });
    const token = await gateway.mint('app');
    const { answer } = startUpload(gateway, token, long.length, long, close);
    expect(await answer).toMatch(/^HTTP\/1.1 413 [^]*"code":"payload_too_large"/);
  });
});

describe('the quota of an app', () => {
  test('counts what is there and what is coming, and each app has its own', async () => {
    await using gateway = await startTestGateway({ env });
    const [token, other] = [await gateway.mint('app'), await gateway.mint('other')];
    const slow = startUpload(gateway, token, form.length, form.subarray(0, 500_000), close);
    await expect.poll(() => incoming(gateway.dataDir).length).toBe(1);
    const refused = await upload(gateway, token, text);
    expect(refused).toMatchObject({ status: 413, body: { error: { code: 'payload_too_large' } } });
    expect(refused.body.error.message).toMatch(/quota/);
    expect((await upload(gateway, other, text)).status).toBe(201);
    slow.socket.write(form.subarray(500_000));
    expect(await slow.answer).toMatch(/^HTTP\/1.1 201/);

    expect((await upload(gateway, token, text)).status).toBe(413);
    const [item] = (await list(gateway, token)).body.items;
    const authorization = `Bearer ${token}`;
    await gateway.fetch(`/files/${item.file_token}`, {
      ...{ method: 'DELETE', headers: { authorization } },
    });
    expect((await upload(gateway, token, text)).status).toBe(201);
  });

  test('comes back when a file expires', async () => {
    const clock = createManualClock(Date.now());
    await using gateway = await startTestGateway({ env, clock });
    const token = await gateway.mint('app');
    expect((await upload(gateway, token, text, { ttlSecs: 60 })).status).toBe(201);
    expect((await upload(gateway, token, text)).status).toBe(413);
    await clock.advance(60_000);
    expect((await upload(gateway, token, text)).status).toBe(201);
  });
});

describe('a file whose time is over', () => {
  test('is not found, and its bytes are gone within a minute', async () => {
    const clock = createManualClock(Date.now());
    await using gateway = await startTestGateway({ clock });
    const token = await gateway.mint('app');
    const { body } = await upload(gateway, token, 'short', { ttlSecs: 60 });
    await upload(gateway, token, 'long', { ttlSecs: 120 });
    await clock.advance(59_000);
    expect((await list(gateway, token)).body.items).toHaveLength(2);
    await clock.advance(1000);
    expect((await list(gateway, token)).body.items).toHaveLength(1);
    const run = await gateway.run(token, { prompt: 'hi', files: [body.file_token] });
    expect(run).toMatchObject({ status: 404, body: { error: { code: 'not_found' } } });
    await clock.advance(20_000);
    await expect.poll(() => stored(gateway.dataDir)).toHaveLength(1);
    expect(stored(gateway.dataDir)).not.toContain(body.file_token);
  });

  test('is gone after a restart, with all that a crash left', async () => {
    await using first = await startTestGateway({ keep: true });
    const token = await first.mint('app');
    const kept = await upload(first, token, 'kept', { ttlSecs: 86_400 });
    const { body } = await upload(first, token, 'short', { ttlSecs: 60 });
    await first.close();
    const files = join(first.dataDir, 'files');
    writeFileSync(join(files, 'incoming/half'), 'x');
    writeFileSync(join(files, `ff_${'x'.repeat(32)}`), 'moved, but without its row');
    mkdirSync(join(files, 'stray'));

    const clock = createManualClock(Date.now() + 60_000);
    await using second = await startTestGateway({ dataDir: first.dataDir, clock });
    expect(stored(second.dataDir)).toEqual([kept.body.file_token]);
    expect(stored(second.dataDir)).not.toContain(body.file_token);
    expect(incoming(second.dataDir)).toEqual([]);
  });
});

test('a gateway that is killed in the middle of an upload starts without what came of it', async () => {
  await using killed = await startGatewayProcess({ keep: true });
  const token = await killed.mint('app');
  expect((await upload(killed, token, 'kept')).status).toBe(201);
  startUpload(killed, token, form.length, part);
  await expect.poll(() => incoming(killed.dataDir).length).toBe(1);
  killed.child.kill('SIGKILL');
  await killed.exited;
  await using gateway = await startGatewayProcess({ dataDir: killed.dataDir });
  expect(incoming(gateway.dataDir)).toEqual([]);
  const { body } = await list(gateway, token);
  expect(body.items).toHaveLength(1);
  expect(existsSync(join(gateway.dataDir, 'files', body.items[0].file_token))).toBe(true);
});
