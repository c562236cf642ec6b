/**
 * Characters that a person does not see and a model reads: they turn text round, join or split words, or hide whole
 * sentences in tags. A reviewer is shown their numbers instead, and each line with one is a finding by itself.
 */

/** What Unicode calls control, format, separator or ignorable: direction and zero-width marks, fillers, tags. */
const HIDDEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;
/** A tab, and the selector that gives a sign its colours. */
const USUAL: ReadonlySet<string> = new Set(['\t', '\ufe0f']);

/** The text with `\u{…}` in the place of each. */
export function visible(text: string): string {
  return text.replaceAll(HIDDEN, (char) =>
    USUAL.has(char) ? char : `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`,
  );
}

/** What is hidden in the text, as `U+202E`, each once; empty mostly. A mark at the start of a file (U+FEFF) is usual. */
export function hiddenIn(text: string): string[] {
  const found = (text.replace(/^\ufeff/u, '').match(HIDDEN) ?? []).filter((char) => !USUAL.has(char));
  return [
    ...new Set(
      found.map((char) => `U+${(char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`),
    ),
  ];
}
