// What a key may be for, in words.
export const scopeWords: readonly (readonly [string, string])[] = [
  ['agents:read', 'see agents'],
  ['agents:write', 'change agents'],
  ['events:read', 'read feeds'],
  ['events:write', 'write messages'],
  ['events:answer', 'answer for agents'],
  ['status:write', 'report agents'],
  ['hosts:read', 'see hosts'],
  ['hosts:write', 'report hosts'],
  ['self:read', 'see whose key it is'],
  ['audit:read', 'read the audit'],
];

export function wordsOf(scopes: readonly string[]): string {
  const words = new Map(scopeWords);
  return scopes.map((scope) => words.get(scope) ?? scope).join(', ');
}

export const presets: readonly { name: string; scopes: readonly string[] }[] = [
  {
    name: 'A watcher',
    scopes: [
      'self:read',
      'agents:read',
      'events:read',
      'events:write',
      'events:answer',
      'status:write',
      'hosts:write',
    ],
  },
  {
    name: 'A program that writes messages',
    scopes: ['self:read', 'agents:read', 'events:read', 'events:write'],
  },
  {
    name: 'A program that only reads',
    scopes: ['self:read', 'agents:read', 'events:read', 'hosts:read'],
  },
];
