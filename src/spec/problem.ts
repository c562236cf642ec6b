/**
 * How problems are made and shown. A problem carries no colour and no terminal control: what a file contains is
 * hostile text until it has been cleaned here.
 */
import stringWidth from 'string-width';
import type { Problem } from '../model/error.ts';

/** 1-based line and column, the column in UTF-16 units as editors count. */
export interface Position {
  readonly line: number;
  readonly col: number;
}

export const FILE_START: Position = { line: 1, col: 1 };

/** A problem in front of which the reader sees its place; with the file's text also the line and a mark under the column. */
export function renderProblem(problem: Problem, sourceText?: string): string {
  const { severity, code, file, line, col, message, expected, got, fix } = problem;
  const rows = [`${severity}[${code}]: ${clean(message)}`, `  --> ${clean(file)}:${line}:${col}`];
  const source = sourceText === undefined ? undefined : lineOf(sourceText, line);
  if (source === undefined) {
    if (fix !== undefined) rows.push(`      = fix: ${clean(fix)}`);
  } else {
    const { shown, mark } = excerpt(source, col);
    rows.push(
      `${String(line).padStart(5)} | ${shown}`,
      `      | ${' '.repeat(mark)}^${fix === undefined ? '' : ` ${clean(fix)}`}`,
    );
  }
  if (expected !== undefined) rows.push(`      = expected: ${clean(expected)}`);
  if (got !== undefined) rows.push(`      = got: ${clean(got)}`);
  return rows.join('\n');
}

/** Errors before warnings would tear a file's problems apart: by file, then place, then code. */
export function sortProblems(problems: readonly Problem[]): Problem[] {
  return problems.toSorted(
    (a, b) => compare(a.file, b.file) || a.line - b.line || a.col - b.col || compare(a.code, b.code),
  );
}

/** A value as a reader may see it: JSON, at most 60 characters. */
export function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length <= 60 ? text : `${text.slice(0, 57)}...`;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Control and escape characters, and those that reorder text, as a visible `�`. */
function clean(text: string): string {
  // oxlint-disable-next-line no-control-regex -- exactly these are replaced
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069\u2028\u2029]/g, '�');
}

function lineOf(text: string, line: number): string | undefined {
  let from = text.charCodeAt(0) === 0xfeff ? 1 : 0;
  for (let n = 1; n < line; n++) {
    from = text.indexOf('\n', from) + 1;
    if (from === 0) return undefined;
  }
  const end = text.indexOf('\n', from);
  return text.slice(from, end < 0 ? text.length : end).replace(/\r$/, '');
}

const WIDEST = 100;

/** The part of a line around the column, and how many cells lie before it. Chinese characters take two cells each. */
function excerpt(source: string, col: number): { shown: string; mark: number } {
  const before = col - 1 <= WIDEST ? 0 : col - 1 - 40;
  const lead = before > 0 ? '...' : '';
  const text = clean(source.slice(before, before + WIDEST).replaceAll('\t', ' '));
  const cut = source.length > before + WIDEST ? '...' : '';
  return { shown: lead + text + cut, mark: stringWidth(lead + text.slice(0, col - 1 - before)) };
}
