import type { SplitLine } from './split-line.ts';

/** One of several consecutive added lines. */
export interface RunLine {
  /** 1-based, in the new version of the file. */
  readonly line: number;
  readonly text: string;
  readonly split: SplitLine;
}

/** How many characters of white space the text begins with. */
export function indentOf(text: string): number {
  return text.length - text.trimStart().length;
}
