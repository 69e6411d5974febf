// What every answer of the vault has in common.
import { Type } from 'typebox';
import type { TSchema } from 'typebox';

import { NextPage } from './api-schema.ts';

/** The body of a good answer. */
export const Answer = <T extends TSchema>(data: T) =>
  Type.Object({ success: Type.Literal(true), data });

/** The body of a good answer that is one page of a list. */
export const PageAnswer = <T extends TSchema>(item: T) =>
  Type.Object({ success: Type.Literal(true), data: Type.Array(item), next: NextPage });

export function answer<T>(data: T): { success: true; data: T } {
  return { success: true, data };
}

export function pageAnswer<T>(
  data: T[],
  next: string | null,
): { success: true; data: T[]; next: string | null } {
  return { success: true, data, next };
}
