// The name a file is given by its sender: shown to people and to models, never part of a path.
const charactersMax = 255;

/** Control characters, line separators and those that turn the direction of text. */
const unseen = /[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

export function cleanFileName(given: string | undefined): string {
  const seen = (given ?? '').toWellFormed().replaceAll(unseen, '');
  const name = Array.from(seen.trim()).slice(0, charactersMax).join('').trim();
  return name === '' ? 'file' : name;
}
