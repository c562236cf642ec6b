/** A Markdown file in the four kinds of lines that a contract is read by. */
import type { Position } from '../spec/problem.ts';

export type ContractLine =
  | { readonly is: 'heading'; readonly level: number; readonly title: string; readonly at: Position }
  | { readonly is: 'row'; readonly cells: readonly string[]; readonly at: Position }
  | { readonly is: 'text'; readonly text: string; readonly at: Position }
  /** A fenced block: what stands behind its fence, and its text. `at` is where the text begins. */
  | { readonly is: 'block'; readonly info: string; readonly text: string; readonly at: Position };

/** Blank lines are left out. A fence that is never closed reaches to the end of the file. */
export function contractLines(text: string): ContractLine[] {
  const source = (text.charCodeAt(0) === 0xfeff ? text.slice(1) : text).split('\n');
  const lines: ContractLine[] = [];
  for (let n = 0; n < source.length; n += 1) {
    const line = (source[n] ?? '').replace(/\r$/u, '');
    const at = { line: n + 1, col: 1 };
    const fence = /^(\s*(?:[-*+]\s+)?)(`{3,}|~{3,})(.*)$/u.exec(line);
    if (fence !== null) {
      const end = closing(source, n + 1, fence[2] ?? '```');
      lines.push({
        is: 'block',
        info: (fence[3] ?? '').trim(),
        text: source.slice(n + 1, end).join('\n'),
        at: { line: n + 2, col: 1 },
      });
      n = end;
    } else if (line.trim() !== '') lines.push(lineOf(line, at));
  }
  return lines;
}

function lineOf(line: string, at: Position): ContractLine {
  const heading = /^ {0,3}(#{1,6})\s+(\S.*)$/u.exec(line);
  if (heading !== null) {
    const title = (heading[2] ?? '').replace(/\s+#+\s*$/u, '').trim();
    return { is: 'heading', level: heading[1]?.length ?? 1, title, at };
  }
  const row = /^\s*\|(.+)\|\s*$/u.exec(line)?.[1];
  if (row !== undefined) return { is: 'row', cells: row.split(/(?<!\\)\|/u).map((cell) => cell.trim()), at };
  return { is: 'text', text: line.trim(), at };
}

/** Index of the line that closes the fence, or behind the last one. */
function closing(source: readonly string[], from: number, fence: string): number {
  const mark = fence[0] === '~' ? /^\s*(~{3,})\s*$/u : /^\s*(`{3,})\s*$/u;
  for (let n = from; n < source.length; n += 1) {
    const found = mark.exec((source[n] ?? '').replace(/\r$/u, ''))?.[1];
    if (found !== undefined && found.length >= fence.length) return n;
  }
  return source.length;
}
