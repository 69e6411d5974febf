// A misspelt limit would silently be no limit. Said, not refused: others set RUN_* and GATEWAY_* for themselves.
import type { Environment } from './variable.ts';

export type OwnVariables = {
  /** Ends the warning "… is not a variable of the …". */
  service: string;
  /** Of names that look as if they were meant for this service. */
  pattern: RegExp;
  known: ReadonlySet<string>;
};

/** One warning each. Values are not shown: they may be secrets. */
export function unknownVariables(env: Environment, own: OwnVariables): string[] {
  return Object.keys(env)
    .filter((name) => own.pattern.test(name) && !own.known.has(name))
    .map(
      (name) =>
        `${name} is not a variable of the ${own.service} and has no effect: see .env.example`,
    );
}
