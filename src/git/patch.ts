/**
 * Reads the added lines out of a patch made with `-U0 -a`. The patch is untrusted text: a file may contain lines that
 * look like headers. Hunks say how many lines follow, so content is never read as a header; and git quotes names with
 * line breaks in headers, so a header is always one line.
 */
import type { AddedLine } from '../gates/facts.ts';
import { decodePath, unquotePath } from './paths.ts';

/** More lines than this are not kept; the files they are in count as unread. */
const MOST_LINES = 500_000;

const NEWLINE = 0x0a;
const MINUS = 0x2d;
const PLUS = 0x2b;
const TAB = 0x09;
const HUNK = /^@@ -\d+(?:,(\d+))? \+(\d+)(?:,(\d+))? @@/;

/** Output of `git diff-tree -p -U0 -a` -> added lines in its order, and the paths that contain NUL or were cut off. */
export function readAddedLines(patch: Buffer): { added: AddedLine[]; binary: Set<string> } {
  const added: AddedLine[] = [];
  const binary = new Set<string>();
  let path: string | null = null;
  let line = 0;
  let removedLeft = 0;
  let addedLeft = 0;
  for (const [from, to] of lines(patch)) {
    const first = patch[from];
    if (removedLeft > 0 && first === MINUS) {
      removedLeft -= 1;
    } else if (addedLeft > 0 && first === PLUS) {
      addedLeft -= 1;
      if (path === null) throw new Error('a patch without a file name');
      if (added.length >= MOST_LINES) binary.add(path);
      else added.push({ path, line, text: lineText(patch, from + 1, to, () => binary.add(path as string)) });
      line += 1;
    } else if (removedLeft === 0 && addedLeft === 0) {
      const header = patch.toString('latin1', from, Math.min(to, from + 80));
      if (header.startsWith('diff --git ')) path = null;
      else if (header.startsWith('+++ ')) path = newPath(patch.subarray(from + 4, to));
      else if (header.startsWith('@@ ')) [removedLeft, line, addedLeft] = hunk(header);
    }
  }
  return { added, binary };
}

function* lines(patch: Buffer): Generator<[number, number]> {
  let from = 0;
  while (from < patch.length) {
    const end = patch.indexOf(NEWLINE, from);
    const to = end === -1 ? patch.length : end;
    yield [from, to];
    from = to + 1;
  }
}

/** `b/name`, perhaps quoted, and followed by a tab when it contains a blank; `/dev/null` for a file that is gone. */
function newPath(bytes: Buffer): string | null {
  const name = unquotePath(bytes.at(-1) === TAB ? bytes.subarray(0, -1) : bytes);
  const text = decodePath(name);
  return text.startsWith('b/') ? text.slice(2) : null;
}

function hunk(header: string): [removed: number, line: number, added: number] {
  const match = HUNK.exec(header);
  if (match === null) throw new Error(`not a hunk: ${JSON.stringify(header)}`);
  const [, removed = '1', line = '0', added = '1'] = match;
  return [Number(removed), Number(line), Number(added)];
}

/** The text of a line without `\r` at its end and without NUL bytes, which UTF-16 puts between the letters of a word. */
function lineText(patch: Buffer, from: number, to: number, foundNul: () => void): string {
  const end = to > from && patch[to - 1] === 0x0d ? to - 1 : to;
  if (!patch.subarray(from, end).includes(0)) return patch.toString('utf8', from, end);
  foundNul();
  return patch.toString('utf8', from, end).replaceAll('\0', '');
}
