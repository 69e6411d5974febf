// What bubblewrap's own words mean for the person who runs the host.
const causes: { seen: RegExp; problem: string; mend: string }[] = [
  {
    seen: /No permissions to creat/i,
    problem: 'this system does not let the gateway create user namespaces',
    mend: "In a container: use the seccomp profile of compose.yml instead of Docker's own. On a host: sysctl -w kernel.unprivileged_userns_clone=1",
  },
  {
    seen: /setting up uid map: Permission denied/i,
    problem: 'AppArmor restricts unprivileged user namespaces (Ubuntu 24.04 and later)',
    mend: 'sysctl -w kernel.apparmor_restrict_unprivileged_userns=0, or an AppArmor profile that allows userns for bwrap',
  },
  {
    seen: /setting up uid map: Operation not permitted/i,
    problem: 'root without capabilities cannot set up a user namespace',
    mend: 'Run the gateway as an ordinary user',
  },
  {
    seen: /Can't mount proc/i,
    problem: 'a /proc of its own cannot be mounted here',
    mend: 'In Docker: add security_opt systempaths=unconfined. In an LXC container: enable nesting',
  },
  {
    seen: /pivot_root|Failed to make \/ slave/i,
    problem: 'this container does not let bubblewrap change its mounts',
    mend: 'In Docker: security_opt seccomp=<profile of compose.yml> and apparmor=unconfined',
  },
  {
    seen: /Unknown option --disable-userns|--disable-userns/i,
    problem: 'this bubblewrap is older than 0.8 and does not know --disable-userns',
    mend: 'Install bubblewrap 0.8 or newer',
  },
];

export function explainRefusal(stderr: string): { problem: string; mend: string } {
  const known = causes.find(({ seen }) => seen.test(stderr));
  if (known !== undefined) return { problem: known.problem, mend: known.mend };
  const lastLine = stderr.trim().split('\n').at(-1)?.slice(0, 200) ?? '';
  return {
    problem: lastLine === '' ? 'bubblewrap gave no reason' : `bubblewrap said: ${lastLine}`,
    mend: 'Try: bwrap --unshare-user --unshare-pid --ro-bind / / --proc /proc true',
  };
}
