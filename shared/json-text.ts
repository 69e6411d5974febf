// Values that JSON can write but that nothing behind the door takes: a NUL ends strings in C
// programs, half a surrogate pair has no UTF-8, 1e309 becomes Infinity.

export type UnsafeValue = { field: string; reason: string };

/** The first unsafe string, key or number in a parsed body, with the path of its field. */
export function findUnsafeValue(value: unknown, path = ''): UnsafeValue | null {
  if (typeof value === 'string') {
    return unsafeText(value, path);
  }
  if (typeof value === 'number' && !Number.isFinite(value)) {
    return { field: fieldName(path), reason: 'is a number out of range' };
  }
  if (typeof value !== 'object' || value === null) {
    return null;
  }
  for (const [key, member] of Object.entries(value)) {
    const found = unsafeKey(key, path) ?? findUnsafeValue(member, joinPath(path, key));
    if (found !== null) {
      return found;
    }
  }
  return null;
}

function unsafeText(text: string, path: string): UnsafeValue | null {
  if (text.includes('\0')) {
    return { field: fieldName(path), reason: 'contains a NUL character' };
  }
  if (!text.isWellFormed()) {
    return { field: fieldName(path), reason: 'contains half of a surrogate pair' };
  }
  return null;
}

function unsafeKey(key: string, path: string): UnsafeValue | null {
  const found = unsafeText(key, path);
  return found === null ? null : { ...found, reason: `has a key that ${found.reason}` };
}

function joinPath(path: string, key: string): string {
  return path === '' ? key : `${path}.${key}`;
}

function fieldName(path: string): string {
  return path === '' ? 'body' : path;
}
