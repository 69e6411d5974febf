// The text of a model into the `result` of contract.md.
import type { JsonValue } from '#shared/json-value.ts';

const fenced = /^```[^\n`]*\n([\s\S]*?)\n?```$/;

/**
 * One code fence around the whole text is taken away. What is left is given as a value when it parses to an object or an array,
 * else as the string it is: `42`, `null`, prose around a fence, and numbers that JavaScript cannot hold stay strings.
 */
export function unwrapAnswer(text: string): JsonValue {
  const trimmed = text.trim();
  const inner = fenced.exec(trimmed)?.[1];
  // Two fences, with prose between them, look like one from outside.
  const unfenced = inner === undefined || /^```/m.test(inner) ? text : inner;
  return parseContainer(unfenced) ?? unfenced;
}

function parseContainer(text: string): JsonValue | undefined {
  const first = text.trimStart().charAt(0);
  if (first !== '{' && first !== '[') return undefined;
  try {
    const value: JsonValue = JSON.parse(text, refuseInexact);
    return value;
  } catch {
    return undefined;
  }
}

/** A reader would get another number than the model wrote. */
function refuseInexact(
  _key: string,
  value: unknown,
  { source = '' }: { source?: string } = {},
): unknown {
  if (typeof value !== 'number') return value;
  const isWhole = /^-?\d+$/.test(source);
  if (!Number.isFinite(value) || (isWhole && BigInt(source) !== BigInt(value))) {
    throw new RangeError(`${source} is not a number of JavaScript`);
  }
  return value;
}
