// nginx and Caddy as our recipes set them up, but on a free port, in front of a test gateway, with a certificate of the test.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { execa } from 'execa';

import { projectDir } from './test-gateway.ts';

export const proxyName = 'gatehouse.lan';
export type ProxyProgram = 'nginx' | 'caddy';

export type ReverseProxy = AsyncDisposable & { url: string; certificate: string };

export async function isInstalled(program: string): Promise<boolean> {
  const { failed } = await execa('sh', ['-c', `command -v ${program}`], { reject: false });
  return !failed;
}

export async function startReverseProxy(
  program: ProxyProgram,
  address: string,
  gatewayUrl: string,
): Promise<ReverseProxy> {
  const dir = await mkdtemp(join(tmpdir(), 'gatehouse-proxy-'));
  await using undo = new AsyncDisposableStack();
  undo.defer(() => rm(dir, { recursive: true, force: true }));
  const port = await freePort(address);
  const certificate = await makeCertificate(dir);
  const settings = { dir, port, gateway: new URL(gatewayUrl).host };
  const args = await (program === 'nginx' ? nginxArguments(settings) : caddyArguments(settings));
  const env = { HOME: dir, XDG_DATA_HOME: dir, XDG_CONFIG_HOME: dir };
  const child = execa(program, args, { env, reject: false, all: true });
  undo.defer(async () => {
    child.kill('SIGTERM');
    await child;
  });
  await Promise.race([
    accepts(address, port),
    child.then(({ all }) => Promise.reject(new Error(all))),
  ]);
  const kept = undo.move();
  return {
    url: `https://${address}:${port}`,
    certificate,
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

type Settings = { dir: string; port: number; gateway: string };

async function nginxArguments({ dir, port, gateway }: Settings): Promise<string[]> {
  const recipe = await adapted('deploy/nginx.conf', [
    ['listen 443 ssl', `listen ${port} ssl`],
    ['/etc/ssl/gatehouse/cert.pem', join(dir, 'cert.pem')],
    ['/etc/ssl/gatehouse/key.pem', join(dir, 'key.pem')],
    ['127.0.0.1:8800', gateway],
  ]);
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `${name}_temp_path ${dir}/${name};`)
    .join(' ');
  const around = `user root; daemon off; pid ${dir}/pid; error_log stderr; events {}
    http { access_log off; ${temporary} ${recipe} }`;
  await writeFile(join(dir, 'nginx.conf'), around);
  return ['-p', dir, '-e', 'stderr', '-c', join(dir, 'nginx.conf')];
}

async function caddyArguments({ dir, port, gateway }: Settings): Promise<string[]> {
  const recipe = await adapted('deploy/Caddyfile', [
    [`${proxyName} {`, `https://${proxyName}:${port} {`],
    ['tls internal', `tls ${dir}/cert.pem ${dir}/key.pem`],
    ['127.0.0.1:8800', gateway],
  ]);
  const global = '{\n\tadmin off\n\tauto_https disable_redirects\n}\n';
  await writeFile(join(dir, 'Caddyfile'), global + recipe);
  return ['run', '--adapter', 'caddyfile', '--config', join(dir, 'Caddyfile')];
}

async function adapted(path: string, changes: [string, string][]): Promise<string> {
  let recipe = await readFile(join(projectDir, path), 'utf8');
  for (const [from, to] of changes) {
    if (!recipe.includes(from)) throw new Error(`${path} has no "${from}" any more`);
    recipe = recipe.replace(from, to);
  }
  return recipe;
}

async function makeCertificate(dir: string): Promise<string> {
  const certificate = join(dir, 'cert.pem');
  const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const name = ['-subj', `/CN=${proxyName}`, '-addext', `subjectAltName=DNS:${proxyName}`];
  const files = ['-keyout', join(dir, 'key.pem'), '-out', certificate];
  await execa('openssl', ['req', ...kind, ...name, ...files]);
  return certificate;
}

export async function freePort(address: string): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, address, resolve);
  });
  const bound = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (bound === null || typeof bound === 'string') throw new Error('no port');
  return bound.port;
}

/** Neither program says on a pipe of ours that it listens. */
export async function accepts(address: string, port: number): Promise<void> {
  const tried = await new Promise<boolean>((resolve) => {
    const socket = connect(port, address);
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
  if (tried) return;
  await sleep(20);
  await accepts(address, port);
}
