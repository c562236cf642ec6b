/** A merged change as a reviewing model is shown it: each line with its number, so that a finding can be held against it. */
import { visible } from './hidden.ts';

export interface DiffLine {
  /** `=`: there before and after; its number is that of the new version. */
  readonly kind: '+' | '-' | '=';
  /** 1-based: in the old version for `-`, otherwise in the new one. */
  readonly line: number;
  readonly text: string;
}

export interface FileDiff {
  readonly path: string;
  /** Empty where only a mode changed. */
  readonly lines: readonly DiffLine[];
  /** Why it cannot be shown; null: it can. */
  readonly unread: string | null;
}

/** Files that are shown in one question. */
export type Part = readonly FileDiff[];

export interface Parts {
  readonly parts: readonly Part[];
  readonly unseen: readonly { readonly path: string; readonly why: string }[];
}

/** Characters of one question's diff: some 25,000 tokens, which every model takes. */
export const PART_CHARACTERS = 80_000;
/** Questions about one merge. */
export const MOST_PARTS = 6;
/** No line of code is longer; what is, is generated. */
const LONGEST_LINE = 1000;

/** Cuts between files, never inside one: half a file read wrongly is worse than a file that is said to be unread. */
export function partsOf(files: readonly FileDiff[], most = PART_CHARACTERS): Parts {
  const unseen: { path: string; why: string }[] = [];
  const parts: FileDiff[][] = [];
  let room = 0;
  for (const file of files) {
    const { path, unread } = file;
    const size = shownLines(file).length;
    if (unread !== null) unseen.push({ path, why: unread });
    else if (size > most)
      unseen.push({ path, why: `its diff is too large for one question (${size} characters)` });
    else if (size > room && parts.length === MOST_PARTS)
      unseen.push({ path, why: `the merge is too large: ${MOST_PARTS} questions were full before it` });
    else if (size > room) {
      parts.push([file]);
      room = most - size;
    } else {
      parts.at(-1)?.push(file);
      room -= size;
    }
  }
  return { parts, unseen };
}

/** `   12 + text`, a line each: no line of a file begins at the margin, so none can pass for a marker. */
export function shownLines({ lines }: FileDiff): string {
  return lines.map(shownLine).join('\n');
}

export function shownLine({ kind, line, text }: DiffLine): string {
  const cut = text.length > LONGEST_LINE ? `${text.slice(0, LONGEST_LINE)} …(line cut)` : text;
  return `${String(line).padStart(6)} ${kind} ${visible(cut)}`;
}
