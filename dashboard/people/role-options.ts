export const roleOptions = [
  ['admin', 'Admin: everything'],
  ['agent', 'Agent: writes and answers'],
  ['viewer', 'Viewer: reads'],
] as const;

export type RoleName = (typeof roleOptions)[number][0];

export function isRole(text: string): text is RoleName {
  return roleOptions.some(([role]) => role === text);
}
