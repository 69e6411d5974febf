import { invalidField } from '../vault-errors.ts';

/** As times are stored, whatever the zone that it was told in. Throws for what is no time. */
export function readTime(field: string, text: string): string {
  const ms = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(ms)) {
    throw invalidField(field, `${field} must be a time such as 2026-11-27T12:00:00Z`);
  }
  return new Date(ms).toISOString();
}
