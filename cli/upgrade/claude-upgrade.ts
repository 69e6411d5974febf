// The decisions of an upgrade: forward only over passing tests, else back to exactly what was.
export type UpgradeSteps = {
  pinned: () => string;
  /** Changes the pin, the lockfile and node_modules; says whether that worked. */
  install: (version: string) => Promise<boolean>;
  /** What the installed program says; null when it does not start. */
  installedVersion: () => Promise<string | null>;
  testContract: () => Promise<boolean>;
  /** Puts all three back; says whether that worked. */
  restore: () => Promise<boolean>;
};

export type UpgradeResult = 0 | 1 | 3;

/** A version or a tag of the registry, never an option or a path. */
export function isVersionName(text: string): boolean {
  return /^(\d+\.\d+\.\d+[\w.+-]*|[a-z][a-z0-9-]*)$/.test(text);
}

export async function upgradeClaude(
  wanted: string,
  steps: UpgradeSteps,
  say: (line: string) => void,
): Promise<UpgradeResult> {
  const before = steps.pinned();
  if (wanted === before) {
    say(`claude ${before} is pinned already.`);
    return 0;
  }
  say(`claude ${before} is pinned. Trying ${wanted}.`);
  const problem = await problemWith(wanted, steps);
  const after = steps.pinned();
  if (problem === null) {
    say(
      after === before
        ? `claude ${before} is the ${wanted} one already.`
        : `claude ${after} is pinned, in place of ${before}: the contract tests pass. Restart the gateway and commit package.json and package-lock.json.`,
    );
    return 0;
  }
  say(`${problem} Going back to ${before}.`);
  return (await isBack(before, steps)) ? backAgain(before, say) : stuck(before, say);
}

async function problemWith(wanted: string, steps: UpgradeSteps): Promise<string | null> {
  if (!(await attempt(() => steps.install(wanted)))) {
    return `claude ${wanted} could not be installed.`;
  }
  const pinned = steps.pinned();
  const installed = await steps.installedVersion().catch(() => null);
  if (installed === null) return `claude ${pinned} does not start.`;
  if (installed !== pinned) return `claude says it is ${installed}, not ${pinned}.`;
  return (await attempt(steps.testContract))
    ? null
    : `claude ${pinned} does not do what the gateway relies on: contract tests failed.`;
}

async function isBack(before: string, steps: UpgradeSteps): Promise<boolean> {
  if (!(await attempt(steps.restore)) || steps.pinned() !== before) return false;
  return (await steps.installedVersion().catch(() => null)) === before;
}

function backAgain(before: string, say: (line: string) => void): UpgradeResult {
  say(`claude ${before} is pinned and installed, as before.`);
  return 1;
}

function stuck(before: string, say: (line: string) => void): UpgradeResult {
  say(
    `Going back did not work. Do it by hand: git checkout package.json package-lock.json && npm ci (claude ${before})`,
  );
  return 3;
}

async function attempt(step: () => Promise<boolean>): Promise<boolean> {
  return step().catch(() => false);
}
