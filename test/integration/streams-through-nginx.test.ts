// NC-05: a stream through nginx as Debian installs it, with nothing set but where to pass requests on, and with our recipe's settings.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { execa } from 'execa';
import { describe, expect, test } from 'vitest';

import { readEvents } from '../support/event-reader.ts';
import { startCheckedGateway } from '../support/leak-check.ts';
import { accepts, freePort, isInstalled } from '../support/reverse-proxy.ts';
import { letGo, untilHeld, waitForGo } from '../support/run-latch.ts';

const hasNginx = await isInstalled('nginx');
const note = hasNginx ? '' : ' (skipped: nginx is not installed)';

/** Buffers on, HTTP/1.0 to us, no compression: what the package's own settings are. */
async function startNginx(gatewayUrl: string): Promise<AsyncDisposable & { url: string }> {
  const dir = await mkdtemp(join(tmpdir(), 'gatehouse-nginx-'));
  const port = await freePort('127.0.0.1');
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `${name}_temp_path ${dir}/${name};`)
    .join(' ');
  await writeFile(
    join(dir, 'nginx.conf'),
    `${process.getuid?.() === 0 ? 'user root;' : ''} daemon off; pid ${dir}/pid; error_log stderr; events {}
     http { access_log off; gzip on; ${temporary}
       server { listen 127.0.0.1:${port}; location / { proxy_pass ${gatewayUrl}; } } }`,
  );
  const child = execa('nginx', ['-p', dir, '-e', 'stderr', '-c', join(dir, 'nginx.conf')], {
    ...{ reject: false, all: true },
  });
  await Promise.race([
    accepts('127.0.0.1', port),
    child.then(({ all }) => Promise.reject(new Error(all))),
  ]);
  return {
    url: `http://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGTERM');
      await child;
      await rm(dir, { recursive: true, force: true });
    },
  };
}

describe.skipIf(!hasNginx)(`through nginx${note}`, () => {
  test('every event arrives while the run goes on, and a heartbeat while nothing happens', async () => {
    await using gateway = await startCheckedGateway();
    await using nginx = await startNginx(gateway.url);
    const token = await gateway.mint('app');
    const prompt = `@@say-many 3 50\n${waitForGo}\nthe end`;
    const runId = await gateway.submit(token, { prompt });
    await using reader = await readEvents(`${nginx.url}/runs/${runId}/events`, token);
    expect(reader.response.headers.get('content-type')).toContain('text/event-stream');
    await untilHeld(gateway.runsDir, 1);
    const completed = () => reader.types().filter((type) => type === 'message.completed').length;
    await expect.poll(completed, { timeout: 5000 }).toBe(2);
    await expect.poll(() => reader.comments(), { timeout: 20_000 }).toBeGreaterThan(0);
    expect(reader.types()).not.toContain('run.completed');
    letGo(gateway.runsDir);
    await reader.ended;
    expect(reader.types().at(-1)).toBe('run.completed');
    expect(reader.events.map(({ id }) => id)).toEqual(
      reader.events.map((_event, index) => index + 1),
    );
  });

  test('a client of POST /run that goes away takes its run with it', async () => {
    await using gateway = await startCheckedGateway();
    await using nginx = await startNginx(gateway.url);
    const token = await gateway.mint('app');
    const init = { method: 'POST', body: JSON.stringify({ prompt: waitForGo }) };
    const reader = await readEvents(`${nginx.url}/run`, token, init);
    await reader.until('run.started');
    reader.close();
    await expect
      .poll(async () => (await gateway.audit('?action=run'))[0]?.outcome, { timeout: 10_000 })
      .toBe('client_gone');
  });
});
