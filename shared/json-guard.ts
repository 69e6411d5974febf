// What JSON.parse lets pass and we do not: extreme depth, duplicate keys, keys that poison
// prototypes. It runs before JSON.parse, which takes seconds for 10 MB of brackets.

const maxDepth = 64;

const code = {
  quote: 34,
  comma: 44,
  openList: 91,
  backslash: 92,
  closeList: 93,
  openObject: 123,
  closeObject: 125,
} as const;

/** What is wrong with the text, or null. Linear in its length. */
export function findJsonFault(text: string): string | null {
  const levels: Level[] = [];
  let depth = 0;
  for (let i = 0; i < text.length; i += 1) {
    switch (text.charCodeAt(i)) {
      case code.quote: {
        const end = endOfString(text, i + 1);
        const fault = depth === 0 ? null : keyFault(levels, depth, text, i, end);
        if (fault !== null) {
          return fault;
        }
        i = end;
        break;
      }
      case code.comma:
        expectKey(levels[depth - 1]);
        break;
      case code.openObject:
      case code.openList:
        if (depth === maxDepth) {
          return `it is nested deeper than ${maxDepth} levels`;
        }
        enter((levels[depth] ??= newLevel()), text.charCodeAt(i) === code.openObject);
        depth += 1;
        break;
      case code.closeObject:
      case code.closeList:
        depth = Math.max(0, depth - 1);
        break;
      default:
    }
  }
  return null;
}

/** Made once per depth and used again by every object that comes to lie there. */
type Level = { isObject: boolean; awaitsKey: boolean; key: string; keys: Set<string> };

function newLevel(): Level {
  return { isObject: false, awaitsKey: false, key: '', keys: new Set() };
}

function enter(level: Level, isObject: boolean): void {
  level.isObject = isObject;
  level.awaitsKey = isObject;
  level.key = '';
  if (level.keys.size > 0) {
    level.keys.clear();
  }
}

function expectKey(level: Level | undefined): void {
  if (level !== undefined) {
    level.awaitsKey = level.isObject;
  }
}

function keyFault(
  levels: readonly Level[],
  depth: number,
  text: string,
  start: number,
  end: number,
): string | null {
  const level = levels[depth - 1];
  if (level === undefined || !level.awaitsKey) {
    return null;
  }
  const key = readKey(text.slice(start + 1, end));
  level.awaitsKey = false;
  level.key = key;
  if (key === '__proto__' || (key === 'prototype' && levels[depth - 2]?.key === 'constructor')) {
    return `the key ${JSON.stringify(key)} is not allowed`;
  }
  if (level.keys.has(key)) {
    return `the key ${JSON.stringify(key.slice(0, 100))} occurs twice`;
  }
  level.keys.add(key);
  return null;
}

function readKey(raw: string): string {
  if (!raw.includes('\\')) {
    return raw;
  }
  try {
    return String(JSON.parse(`"${raw}"`));
  } catch {
    return raw;
  }
}

// Leaps from quote to quote: a prompt is one string of up to 10 MB.
function endOfString(text: string, start: number): number {
  for (let at = text.indexOf('"', start); at !== -1; at = text.indexOf('"', at + 1)) {
    let before = at - 1;
    while (before >= start && text.charCodeAt(before) === code.backslash) {
      before -= 1;
    }
    if ((at - before) % 2 === 1) {
      return at;
    }
  }
  return text.length;
}
