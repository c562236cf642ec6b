import stringWidth from 'string-width';
import type { Terminal } from '../environment.ts';
import type { Paint } from './colour.ts';
import { safeLine } from './safe-text.ts';

export interface Column<Row> {
  readonly title: string;
  value(row: Row): string;
  /** Colour of the cell on a terminal. */
  paint?(paint: Paint, row: Row): (text: string) => string;
  /** Shown only with `-o wide`. */
  readonly wide?: boolean;
}

/**
 * Rows as text, each line ended. On a terminal: aligned columns, the last one cut to the width. Into a pipe: a plain
 * header and tab-separated cells, nothing cut, so that `cut -f` and awk work.
 */
export function renderTable<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  terminal: Terminal,
  paint: Paint,
): string {
  const titles = columns.map(({ title }) => title.toUpperCase());
  const cells = rows.map((row) => columns.map((column) => safeLine(column.value(row))));
  if (!terminal.tty) return [titles, ...cells].map((line) => `${line.join('\t')}\n`).join('');
  const widths = titles.map((title, i) =>
    Math.max(stringWidth(title), ...cells.map((line) => stringWidth(line[i] ?? ''))),
  );
  const head = layOut(titles, widths, terminal.columns, () => paint.dim);
  const body = cells.map((line, r) => {
    const row = rows[r] as Row;
    return layOut(line, widths, terminal.columns, (c) => columns[c]?.paint?.(paint, row) ?? String);
  });
  return [head, ...body].map((line) => `${line}\n`).join('');
}

/** Columns stand two spaces apart. What does not fit the terminal is cut from the last column only, and marked. */
function layOut(
  cells: readonly string[],
  widths: readonly number[],
  limit: number,
  painter: (column: number) => (text: string) => string,
): string {
  let used = 0;
  let line = '';
  cells.forEach((cell, i) => {
    const last = i === cells.length - 1;
    const text = last ? cut(cell, Math.max(8, limit - used)) : cell;
    line += painter(i)(text);
    if (last) return;
    const gap = (widths[i] ?? 0) - stringWidth(text) + 2;
    line += ' '.repeat(gap);
    used += (widths[i] ?? 0) + 2;
  });
  return line.trimEnd();
}

/** The text in at most `width` columns; a cut is shown by an ellipsis. */
export function cut(text: string, width: number): string {
  if (stringWidth(text) <= width) return text;
  let kept = '';
  let used = 0;
  for (const char of text) {
    const next = stringWidth(char);
    if (used + next > width - 1) break;
    kept += char;
    used += next;
  }
  return `${kept}…`;
}
