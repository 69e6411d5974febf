// The closed list of why the door of the gateway turns somebody away.
import { entranceReasons } from '#shared/door/refusal.ts';

export const refusalReasons = [
  ...entranceReasons,
  'no_token',
  'wrong_token',
  'too_many_wrong_tokens',
  'admin_token',
  'app_token',
  'address_of_app',
] as const;

export type RefusalReason = (typeof refusalReasons)[number];
