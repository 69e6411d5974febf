// Values that JSON can write but that nothing behind the door takes: a NUL ends strings in C
// programs, half a surrogate pair has no UTF-8, 1e309 becomes Infinity.

export type UnsafeValue = { field: string; reason: string };

/** The first unsafe string, key or number in a parsed body, with the path of its field. */
export function findUnsafeValue(body: unknown): UnsafeValue | null {
  const found = search(body);
  return found === null
    ? null
    : { field: found.path.toReversed().join('.') || 'body', reason: found.reason };
}

/** The path grows from its end as the search returns: most bodies are found clean. */
type Found = { path: string[]; reason: string };

function search(value: unknown): Found | null {
  if (typeof value === 'string') {
    return searchText(value);
  }
  if (typeof value === 'number') {
    return Number.isFinite(value) ? null : { path: [], reason: 'is a number out of range' };
  }
  if (Array.isArray(value)) {
    return searchList(value);
  }
  return isRecord(value) ? searchRecord(value) : null;
}

function searchText(text: string): Found | null {
  if (text.includes('\0')) {
    return { path: [], reason: 'contains a NUL character' };
  }
  return text.isWellFormed() ? null : { path: [], reason: 'contains half of a surrogate pair' };
}

function searchList(list: readonly unknown[]): Found | null {
  for (let i = 0; i < list.length; i += 1) {
    const found = search(list[i]);
    if (found !== null) {
      found.path.push(String(i));
      return found;
    }
  }
  return null;
}

function searchRecord(record: Record<string, unknown>): Found | null {
  for (const key of Object.keys(record)) {
    const badKey = searchText(key);
    if (badKey !== null) {
      return { path: [], reason: `has a key that ${badKey.reason}` };
    }
    const found = search(record[key]);
    if (found !== null) {
      found.path.push(key);
      return found;
    }
  }
  return null;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
