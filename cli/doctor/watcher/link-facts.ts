// What is the same about both links of the watcher.
import type { readConfig } from '../../../watcher/config.ts';
import { fail, warn } from '../finding.ts';
import type { Finding } from '../finding.ts';
import type { ServiceAnswer } from '../service-answer.ts';
import type { Agents } from './watcher-examination.ts';

export type LinkFacts = ReturnType<typeof readConfig> & {
  agents: Agents | null;
  isRunning: boolean;
};

/** More would make what one service says look late or early to the other. */
const clockApartMs = 10_000;

/** About an answer that is none, or a refusal that both services give; null when there is more to look at. */
export function judgeReach(
  link: { name: string; url: string; service: string; secret: string; renewal: string },
  answer: ServiceAnswer,
  isRunning: boolean,
): Finding | null {
  const { name, url, service, secret, renewal } = link;
  if (answer.kind === 'silent') {
    const seen = `the ${service} does not answer at ${url} (${answer.reason})`;
    const mend = `start the ${service} there, or correct the address; then run the doctor again`;
    return isRunning ? fail(name, seen, mend) : warn(name, seen, mend);
  }
  const { status } = answer;
  if (status === 200) return null;
  if (status === 401) {
    return fail(name, `the ${service} at ${url} does not know ${secret}`, renewal);
  }
  if (status === 403) {
    const mend = `add the address of this machine to ALLOW_CIDRS of the ${service}`;
    return fail(name, `the ${service} at ${url} lets nobody in from here`, mend);
  }
  if (status === 421) {
    const mend = `add ${new URL(url).hostname} to ALLOWED_HOSTS of the ${service}`;
    return fail(name, `the ${service} at ${url} does not know itself under this name`, mend);
  }
  const mend = `look at the log of the ${service}; if it is another program, correct the address`;
  return fail(name, `${url} answers with ${status}`, mend);
}

/** The header has whole seconds. */
export function judgeClocks(name: string, date: string | null, nowMs: number): Finding[] {
  const apartMs = date === null ? 0 : Math.abs(Date.parse(date) - nowMs);
  if (!(apartMs > clockApartMs)) return [];
  return [
    warn(
      name,
      `the clocks are ${Math.round(apartMs / 1000)} s apart`,
      'have both machines take the time from the network (systemd-timesyncd, chrony)',
    ),
  ];
}
