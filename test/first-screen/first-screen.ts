// npm run check:first-screen: does what README's first screen says, as a newcomer would: in a fresh clone in an empty folder, the command
// that shows it work, then the page in a real Chromium, a message, its answer, Ctrl-C. 0 it is as README says, 1 it is not, and why.
// The second command of the first screen is what .ci/run calls itself.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempDisposableSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';

import { execa } from 'execa';

import { startBrowser } from '../support/page-browser.ts';

const projectDir = dirname(dirname(import.meta.dirname));
const patienceMs = 10 * 60_000;

/** A newcomer's shell: none of our settings, and the Node that the machine has. */
function newcomersEnvironment(temporary: string): Record<string, string> {
  const { PATH = '', HOME = '' } = process.env;
  const own = PATH.split(delimiter).filter((each) => !each.includes('node_modules'));
  return { PATH: own.join(delimiter), HOME, TMPDIR: temporary };
}

function firstCommand(cloneDir: string): string {
  const readme = readFileSync(join(cloneDir, 'README.md'), 'utf8');
  const [, command] = /```sh\n([^`]*)\n```/.exec(readme) ?? [];
  if (command === undefined) throw new Error('README has no command on its first screen');
  return command;
}

async function useThePage(link: string): Promise<void> {
  const browser = await startBrowser();
  try {
    const page = await browser.newPage();
    await page.goto(link);
    const message = page.getByLabel('Message to Claude');
    await message.fill('What does a newcomer see?');
    await message.press('Enter');
    await page.getByText('was asked: What does a newcomer see?').waitFor({ timeout: 60_000 });
  } finally {
    await browser.close();
  }
}

async function follow(cloneDir: string, temporary: string): Promise<void> {
  const command = firstCommand(cloneDir);
  process.stdout.write(`$ ${command}\n`);
  const shell = spawn('sh', ['-c', command], {
    ...{ cwd: cloneDir, env: newcomersEnvironment(temporary), detached: true },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const pid = shell.pid ?? 0;
  const ended = once(shell, 'close').then(([code, signal]) => String(signal ?? code));
  try {
    const found = Promise.withResolvers<string>();
    let output = '';
    shell.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk;
      process.stdout.write(chunk);
      const [, link] = /^ +(http\S+\/sign-in#\S+)$/m.exec(output) ?? [];
      if (link !== undefined) found.resolve(link);
    });
    void ended.then((how) => found.reject(new Error(`it ended (${how}) without a link`)));
    const timer = setTimeout(() => found.reject(new Error('there is no link')), patienceMs);
    await useThePage(await found.promise.finally(() => clearTimeout(timer)));
    process.stdout.write('\nThe page has answered. Ctrl-C\n');
    // To all that the shell has started, as a terminal does it.
    process.kill(-pid, 'SIGINT');
    const how = await ended;
    // npm tells of the signal in either way.
    if (!['0', '130', 'SIGINT'].includes(how)) throw new Error(`Ctrl-C ended it with ${how}`);
  } finally {
    if (shell.exitCode === null && shell.signalCode === null) process.kill(-pid, 'SIGKILL');
  }
}

using temporary = mkdtempDisposableSync(join(tmpdir(), 'first-screen-'));
using folder = mkdtempDisposableSync(join(tmpdir(), 'newcomer-'));
try {
  const cloneDir = join(folder.path, 'gatehouse');
  await execa('git', ['clone', '--quiet', projectDir, cloneDir]);
  await follow(cloneDir, temporary.path);
  const left = readdirSync(temporary.path).filter((name) => name.startsWith('gatehouse'));
  if (left.length > 0) throw new Error(`the demo has left ${left.join(', ')}`);
  process.stdout.write("README's first screen is true.\n");
} catch (err) {
  process.exitCode = 1;
  const reason = err instanceof Error ? err.message : String(err);
  process.stderr.write(`README's first screen: ${reason}\n`);
}
