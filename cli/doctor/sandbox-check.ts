// The sandbox that runs get here, and what can be had from inside it.
import type { GatewayConfig } from '../../gateway/config.ts';
import type { EscapeAttempt } from '../../gateway/sandbox/escape-trial.ts';
import type { ProbedSandbox } from '../../gateway/sandbox/sandbox-probe.ts';
import { fail, pass, warn } from './finding.ts';
import type { Finding } from './finding.ts';

export function judgeSandbox(
  mode: GatewayConfig['sandbox'],
  { sandbox, refused }: ProbedSandbox,
): Finding[] {
  const name = 'sandbox';
  const { tier } = sandbox;
  const whyNot = refused.map((each) => warn(`${name}: not ${each.tier}`, each.problem, each.mend));
  if (tier !== 'none') return [pass(name, tier), ...whyNot];
  const seen = 'none: a run can do whatever the gateway can';
  if (mode === 'none') {
    return [warn(name, `${seen}, as SANDBOX=none says`, 'SANDBOX=auto takes the best there is')];
  }
  const mend = refused[0]?.mend ?? 'npm run setup installs bubblewrap';
  const [first] = whyNot.length > 0 ? whyNot : [];
  return [
    fail(name, first === undefined ? seen : `${seen}; ${first.seen}`, mend),
    ...whyNot.slice(1),
  ];
}

export function judgeEscapes(attempts: readonly EscapeAttempt[]): Finding[] {
  return attempts.map(({ name, got, isKnown }) => {
    const title = `escape: ${name}`;
    if (got === null) return pass(title, 'the sandbox held');
    return isKnown
      ? warn(
          title,
          `${got}: this tier cannot stop it`,
          'mend what keeps the tier bwrap from working',
        )
      : fail(title, got, 'stop the gateway and report this: the sandbox leaks');
  });
}
