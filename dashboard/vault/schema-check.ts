// Stands for typebox/compile in the page, whose policy forbids code that is made of text: schemas are walked instead.
import type { Static, TSchema } from 'typebox';
import { Check, Errors } from 'typebox/value';

export function Compile<T extends TSchema>(schema: T) {
  return {
    Check: (value: unknown): value is Static<T> => Check(schema, value),
    Errors: (value: unknown) => Errors(schema, value),
  };
}
