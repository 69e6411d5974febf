// npm start: gateway, vault with its page, and watcher on this machine. Ctrl-C stops all of them in order.
import { untilStopped } from './start/until-stopped.ts';
import { openWholeSet } from './start/whole-set.ts';

await untilStopped(async (opened) => {
  const { pageUrl } = await openWholeSet(opened, {
    env: process.env,
    cwd: process.cwd(),
    onLine: (line) => void process.stdout.write(`${line}\n`),
    say,
  });
  say(`\nOpen ${pageUrl} and write to an agent. Ctrl-C stops everything.`);
  return 'running';
});

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}
