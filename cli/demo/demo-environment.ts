// What the demo's services are told: a directory that goes with the demo, an offline model, and no setting of a real Gatehouse.
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';

/** What else the caller decides: where it listens, who may come, how runs are confined. */
const callersSettings = [
  ...['PATH', 'TMPDIR', 'LANG', 'SANDBOX', 'ALLOW_CIDRS', 'ALLOWED_HOSTS', 'ALLOW_WILDCARD_BIND'],
  ...['GATEWAY_HOST', 'GATEWAY_PORT', 'VAULT_HOST', 'VAULT_PORT', 'WATCHER_HEALTH_PORT'],
];

/** A credential, a database or a directory of the caller's has no place here: it is built from nothing. */
export async function demoEnvironment(
  home: string,
  modelUrl: string,
): Promise<Record<string, string>> {
  const callers = callersSettings.flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value]];
  });
  const data = join(home, 'data');
  return {
    GATEWAY_PORT: await freePort(8800),
    VAULT_PORT: await freePort(8700),
    WATCHER_HEALTH_PORT: await freePort(3001),
    ...Object.fromEntries(callers),
    ...{ HOME: home, GATEWAY_DATA_DIR: data, VAULT_DATA_DIR: data, WATCHER_DATA_DIR: data },
    ANTHROPIC_API_KEY: 'demo-key-of-the-offline-model',
    ANTHROPIC_BASE_URL: modelUrl,
  };
}

/** The usual one, unless a Gatehouse has it already; 0 is any. */
async function freePort(usual: number): Promise<string> {
  const server = createServer();
  try {
    await once(server.listen(usual, '127.0.0.1'), 'listening');
    return String(usual);
  } catch {
    return '0';
  } finally {
    server.close();
  }
}
