// What a check saw, whether that is well, and what to do about it when it is not.
export type Finding = {
  status: 'pass' | 'warn' | 'fail';
  /** What was looked at, in a few words. */
  name: string;
  seen: string;
  /** One line for the operator; null for what is well. */
  mend: string | null;
};

export function pass(name: string, seen: string): Finding {
  return { status: 'pass', name, seen, mend: null };
}

export function warn(name: string, seen: string, mend: string): Finding {
  return { status: 'warn', name, seen, mend };
}

export function fail(name: string, seen: string, mend: string): Finding {
  return { status: 'fail', name, seen, mend };
}

export function messageOf(err: unknown): string {
  return err instanceof Error ? err.message : String(err);
}
