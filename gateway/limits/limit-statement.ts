// A limit that the CLI tells in words only, as the text of a result. Pure.
import type { Transcript } from '../claude/transcript.ts';
import { parseResetTime } from './reset-time.ts';

export type LimitStatement = {
  /** Null where the text does not say it, or not so that it is one instant. */
  resetsAt: number | null;
  /** Other models are answered still. */
  isOfOneModel: boolean;
};

const hitLimit = /^you(?:['’]ve| have) hit your (?<which>[^·\n]{0,60}?)limit\b/i;
const reachedLimit = /^(?:claude (?:ai )?)?usage limit reached\b/i;
const ofOneModel = /\b(?:opus|sonnet|haiku|fable|fast)\b/i;
/** As older versions said it: in seconds since 1970. */
const epochAfterBar = /\|(?<secs>\d{9,11})\b/;
const resets = /\bresets?(?: at)? (?<when>[^·\n]{1,100})/i;

/** @param apiError what the CLI calls the error. Null for a text that tells of no limit. */
export function readLimitStatement(
  text: string,
  apiError: string | null,
  now: number,
): LimitStatement | null {
  const said = text.trim();
  const hit = hitLimit.exec(said);
  if (hit === null && !reachedLimit.test(said) && apiError !== 'usage_limit_reached') return null;
  const isOfOneModel = ofOneModel.test(hit?.groups?.['which'] ?? '');
  return { resetsAt: resetIn(said, now), isOfOneModel };
}

function resetIn(said: string, now: number): number | null {
  const secs = epochAfterBar.exec(said)?.groups?.['secs'];
  if (secs !== undefined) return Number(secs) * 1000;
  const when = resets.exec(said)?.groups?.['when'];
  return when === undefined ? null : parseResetTime(when, now);
}

/** What a run was told in words alone: as the error it ended with, or in place of an answer. */
export function statedLimit(
  { result, text }: Pick<Transcript, 'result' | 'text'>,
  now: number,
): LimitStatement | null {
  if (result === null) return null;
  // Words of the model are no error.
  if (!result.is_error && text !== '') return null;
  return readLimitStatement(result.result ?? '', result.api_error ?? null, now);
}
