// What a principal may do, named after the thing and the deed.
export const permissions = [
  'self:read',
  'self:write',
  // Keys of one's own: list, make, rotate, revoke.
  'keys:own',
  'agents:read',
  'agents:write',
  'events:read',
  // Messages, requests to cancel, system events, attachments.
  'events:write',
  // Claim, renew, release; post what an agent says and does.
  'events:answer',
  'status:write',
  'hosts:read',
  'hosts:write',
  // Everybody's keys.
  'keys:manage',
  // Users, invitations, links to a new password.
  'users:manage',
  'audit:read',
] as const;

export type Permission = (typeof permissions)[number];

const known: ReadonlySet<string> = new Set(permissions);

export function isPermission(text: string): text is Permission {
  return known.has(text);
}
