// What stands between one run and the rest of the host. The tiers are ordered: the first that works is taken.
export const sandboxTiers = ['bwrap', 'bwrap-procbind', 'none'] as const;
export type SandboxTier = (typeof sandboxTiers)[number];

/** A tier that was tried before the chosen one, why it did not work here and what would mend it. */
export type RefusedTier = { tier: SandboxTier; problem: string; mend: string };

/** Absolute paths of the programs a sandbox is made of; a missing one is null. */
export type SandboxTools = {
  bwrap: string | null;
  choom: string | null;
  prlimit: string | null;
  setpriv: string | null;
};

export type Sandbox = {
  tier: SandboxTier;
  tools: SandboxTools;
  /** The unprivileged user a root gateway's runs become; null when the gateway is not root. */
  runUid: number | null;
};

/** Below 65536, so that it exists in an unprivileged LXC container as well. */
export const uidOfRunsUnderRoot = 64100;
