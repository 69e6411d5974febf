// A look around from inside the sandbox, run in place of claude with the very same command line.
export type SelfCheck = { ok: true } | { ok: false; problem: string };

/**
 * Prints one `name=value` a line. $1 is a file outside that must be invisible.
 * Written for /bin/sh of the host, which is the one inside as well.
 */
export const selfCheckScript = `#!/bin/sh
while read -r name value; do
  case $name in CapEff:) echo "capabilities=$value" ;; NoNewPrivs:) echo "no_new_privs=$value" ;; esac
done < /proc/self/status
[ -e "$1" ] && echo canary=visible || echo canary=hidden
if (: > /usr/.gatehouse-check) 2>/dev/null; then echo usr=writable; else echo usr=read-only; fi
if (: > /.gatehouse-check) 2>/dev/null; then echo root=writable; else echo root=read-only; fi
if : > "$HOME/.check" && : > ./.check && : > "$TMPDIR/.check"; then echo own=writable; else echo own=read-only; fi
echo done=yes
`;

const expected: Record<string, { value: RegExp; problem: string }> = {
  capabilities: { value: /^0+$/, problem: 'a run would keep kernel capabilities' },
  no_new_privs: { value: /^1$/, problem: 'a run could gain privileges through a setuid program' },
  canary: { value: /^hidden$/, problem: 'files of the host are visible inside' },
  usr: { value: /^read-only$/, problem: '/usr is writable inside' },
  root: { value: /^read-only$/, problem: 'the root directory is writable inside' },
  own: { value: /^writable$/, problem: "a run's own directories are not writable" },
  done: { value: /^yes$/, problem: 'the check inside did not finish' },
};

export function readSelfCheck(output: string): SelfCheck {
  const seen = new Map(
    output.split('\n').map((line) => {
      const [name = '', value = ''] = line.split('=', 2);
      return [name, value] as const;
    }),
  );
  for (const [name, { value, problem }] of Object.entries(expected)) {
    if (!value.test(seen.get(name) ?? '')) return { ok: false, problem };
  }
  return { ok: true };
}
