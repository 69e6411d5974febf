// Pieces that the schemas of every HTTP API of ours are made of. A schema with a title is a shared one in the API document.
import { Type } from 'typebox';
import type { Static, TSchema } from 'typebox';

export const Nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);

export const Time = Type.String({
  description: 'UTC, ISO 8601',
  examples: ['2026-11-27T12:00:00.000Z'],
});
export const TimeOrNull = Nullable(Time);
export const Count = Type.Integer({ minimum: 0 });
/** Of a record of the client's own. The pattern of a plain string has no line breaks: what it does not match is left out of answers. */
export const AnyKey = Type.String({ pattern: String.raw`^[\s\S]*$` });
/** JavaScript has no larger one that is exact, and some databases refuse it. */
export const countMax = Number.MAX_SAFE_INTEGER;
export const Milliseconds = Type.Integer({ minimum: 0, examples: [1840] });

/** The one error object of every failure. */
export const ErrorObject = Type.Object(
  {
    code: Type.String({
      description: 'for programs: one of the table in README',
      examples: ['timeout_total'],
    }),
    message: Type.String({
      description: 'for people: what happened, what to do',
      examples: ['timeout_secs were over'],
    }),
    retryable: Type.Boolean({
      description: 'whether the same request may go better later',
      examples: [false],
    }),
    retry_after_secs: Type.Optional(
      Type.Integer({ minimum: 1, description: 'when to come back', examples: [30] }),
    ),
    details: Type.Optional(
      Type.Record(Type.String(), Type.Unknown(), {
        description: 'a 400 names the `field`; a limit of the subscription, when it `resets_at`',
        examples: [{ field: 'prompt' }],
      }),
    ),
  },
  { title: 'Error', description: 'what went wrong' },
);
export type ErrorObject = Static<typeof ErrorObject>;

export const pageLimit = Type.Integer({
  minimum: 1,
  maximum: 200,
  default: 50,
  description: 'how many at most',
});
export const NextPage = Type.Union([Type.String(), Type.Null()], {
  description: 'the `after` of the next page; null on the last one',
  examples: [null],
});
