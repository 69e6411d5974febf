// An environment variable of a service: its name, its kind and its default as text.
import type { ValueKind } from './value-kinds.ts';

export type Environment = Record<string, string | undefined>;

export type Variable<T> = {
  name: string;
  kind: ValueKind<T>;
  /** Null: unset means null, which the config gives its meaning. */
  fallbackText: string | null;
  fallback: T;
  isSecret: boolean;
};

export function withDefault<T>(
  name: string,
  kind: ValueKind<T>,
  fallbackText: string,
): Variable<T> {
  const fallback = kind.parse(fallbackText);
  if (fallback === undefined) throw new TypeError(`the default of ${name} is wrong`);
  return { name, kind, fallbackText, fallback, isSecret: false };
}

export function optional<T>(name: string, kind: ValueKind<T>): Variable<T | null> {
  return { name, kind, fallbackText: null, fallback: null, isSecret: false };
}

/** Its value is never shown, also not a wrong one. */
export function secret<T>(name: string, kind: ValueKind<T>): Variable<T | null> {
  return { ...optional(name, kind), isSecret: true };
}

export function namesOf(variables: Record<string, { name: string }>): ReadonlySet<string> {
  return new Set(Object.values(variables).map(({ name }) => name));
}

/** Adds to the problems what is wrong with its value, and goes on with the default. */
export function readVariable<T>(env: Environment, variable: Variable<T>, problems: string[]): T {
  const { name, kind, fallback, isSecret } = variable;
  const text = env[name] ?? '';
  if (text === '') return fallback;
  const value = kind.parse(text);
  if (value !== undefined) return value;
  const shown = isSecret ? 'has a wrong value (not shown)' : `is ${shortened(text)}`;
  problems.push(`${name} ${shown}: it must be ${kind.expected}`);
  return fallback;
}

function shortened(text: string): string {
  return JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}…` : text);
}
