/**
 * Tells code, comments and strings apart, line by line, well enough to know whether a word is meant as a remark or is
 * part of the program. It never sees whole files, so it starts each run of added lines with a guess and corrects
 * itself: a quote without its partner on the line is an apostrophe, not the start of a string.
 */
import type { Syntax } from './language.ts';

export interface SplitLine {
  /** The line with its strings emptied (`""`) and its comments removed. */
  readonly code: string;
  /** Text of the comments on the line, joined by a space; empty when there is none. */
  readonly comment: string;
  /** Contents of the strings on the line, in order. */
  readonly strings: readonly string[];
}

/** What a line may begin inside of: a block comment or a long string, by what ends it. */
interface Open {
  readonly is: 'comment' | 'string';
  readonly close: string;
}

/** Splits a run of consecutive lines. */
export function splitLines(lines: readonly string[], syntax: Syntax): SplitLine[] {
  let open = openBefore(lines, syntax);
  return lines.map((line) => {
    const split = splitLine(line, syntax, open);
    open = split.open;
    return split;
  });
}

/** A run that closes a block comment before it opens one began inside of it. */
function openBefore(lines: readonly string[], syntax: Syntax): Open | null {
  for (const [opener, closer] of syntax.block) {
    for (const line of lines) {
      const close = line.indexOf(closer);
      const start = line.indexOf(opener);
      if (close >= 0 && (start < 0 || close < start)) return { is: 'comment', close: closer };
      if (start >= 0) break;
    }
  }
  return null;
}

function splitLine(line: string, syntax: Syntax, before: Open | null): SplitLine & { open: Open | null } {
  const comments: string[] = [];
  const strings: string[] = [];
  let code = '';
  let open = before;
  let at = 0;
  // A quote that found no partner finds none later on the line: looking again would cost the square of its length.
  let quotes = syntax.quotes;
  if (open === null && syntax.block.some(([opener]) => opener === '/*') && /^\s*\*(?:\s|\/|$)/.test(line)) {
    // The middle of a block comment whose beginning is not among the added lines.
    return { code: '', comment: line.trim(), strings, open: null };
  }
  while (at < line.length) {
    if (open !== null) {
      const end = line.indexOf(open.close, at);
      const text = line.slice(at, end < 0 ? undefined : end);
      if (open.is === 'comment' || syntax.prose) comments.push(text);
      else strings.push(text);
      if (end < 0) return { code, comment: comments.join(' '), strings, open };
      at = end + open.close.length;
      if (open.is === 'string') code += '""';
      open = null;
      continue;
    }
    const next = tokenAt(line, at, syntax, quotes);
    if (next.is === 'line') {
      comments.push(line.slice(at + next.length));
      break;
    }
    if (next.is === 'string') {
      strings.push(line.slice(at + 1, at + next.length - 1));
      code += '""';
    } else if (next.is === 'open') open = next.open;
    else if (next.is === 'apostrophe') {
      quotes = quotes.replace(line[at] ?? '', '');
      code += line[at];
    } else code += line.slice(at, at + next.length);
    at += next.length;
  }
  return { code, comment: comments.join(' '), strings, open };
}

type Token =
  | { readonly is: 'line' | 'string' | 'code' | 'apostrophe'; readonly length: number }
  | { readonly is: 'open'; readonly length: number; readonly open: Open };

function tokenAt(line: string, at: number, syntax: Syntax, quotes: string): Token {
  for (const [opener, close] of syntax.block) {
    if (line.startsWith(opener, at))
      return { is: 'open', length: opener.length, open: { is: 'comment', close } };
  }
  const spaced = at === 0 || /\s/.test(line[at - 1] ?? '');
  const mark = syntax.line.find((opener) => line.startsWith(opener, at));
  if (mark !== undefined && (spaced || !syntax.lineAfterSpace)) return { is: 'line', length: mark.length };
  const long = syntax.longQuotes.find((quote) => line.startsWith(quote, at));
  if (long !== undefined) return { is: 'open', length: long.length, open: { is: 'string', close: long } };
  const char = line[at] ?? '';
  if (quotes.includes(char)) {
    const length = stringLength(line, at, char);
    return length > 0 ? { is: 'string', length } : { is: 'apostrophe', length: 1 };
  }
  return { is: 'code', length: 1 };
}

/** Length of the string that starts at the quote, both quotes included; 0 when the line does not close it. */
function stringLength(line: string, start: number, quote: string): number {
  for (let at = start + 1; at < line.length; at++) {
    if (line[at] === '\\') at++;
    else if (line[at] === quote) return at + 1 - start;
  }
  return 0;
}
