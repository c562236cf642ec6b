/**
 * One element more or less in a list of a JSON file that people write by hand. The package's own edit rewrites the
 * element before and puts the new one between it and the comment at its line's end, so that the comment then speaks of
 * another element, and its removal takes the neighbour's comment along. Here nothing changes but the element itself, a
 * comma, and what stands behind the element on its own line.
 */
import type * as Jsonc from 'jsonc-parser';
import { jsonc } from './jsonc-source.ts';

type Path = readonly (string | number)[];

/** The text with the value as the last of the list at the path, written as its neighbour is: on one line, or on several. */
export function appendElement(text: string, path: Path, value: unknown): string {
  const eol = text.includes('\r\n') ? '\r\n' : '\n';
  const last = listAt(text, path).children?.at(-1);
  if (last === undefined) {
    const formattingOptions = { insertSpaces: true, tabSize: 2, eol };
    return jsonc.applyEdits(
      text,
      jsonc.modify(text, [...path, -1], value, { formattingOptions, isArrayInsertion: true }),
    );
  }
  const end = last.offset + last.length;
  const { comma, lineEnd } = after(text, end);
  const margin = /^[ \t]*/.exec(text.slice(lineStart(text, last.offset)))?.[0] ?? '';
  const isShort = !text.slice(last.offset, end).includes('\n');
  const element = isShort ? onOneLine(value) : onLines(value, margin, eol);
  if (lineEnd === null) return `${text.slice(0, end)}, ${element}${text.slice(end)}`;
  const closed =
    comma === null ? `${text.slice(0, end)},${text.slice(end, lineEnd)}` : text.slice(0, lineEnd);
  return `${closed}${eol}${margin}${element}${comma === null ? '' : ','}${text.slice(lineEnd)}`;
}

/** The text without the element of that index in the list at the path, and without the comment behind it on its line. */
export function removeElement(text: string, path: Path, index: number): string {
  const children = listAt(text, path).children ?? [];
  const element = children[index];
  if (element === undefined) throw new RangeError(`the list has no element ${index}`);
  const end = element.offset + element.length;
  const { comma, lineEnd, inlineEnd } = after(text, end);
  const until = lineEnd ?? inlineEnd;
  const start = lineStart(text, element.offset);
  // A line that has nothing else goes as a whole.
  const isAlone = lineEnd !== null && text.slice(start, element.offset).trim() === '';
  const from = isAlone ? start : element.offset;
  const to = isAlone ? until + (text.startsWith('\r\n', until) ? 2 : 1) : until;
  const before = children[index - 1];
  const gap =
    before === undefined || comma !== null ? null : after(text, before.offset + before.length).comma;
  if (gap === null) return text.slice(0, from) + text.slice(to);
  const between = text.slice(gap + 1, from);
  return text.slice(0, gap) + (/^[ \t]*$/.test(between) ? '' : between) + text.slice(to);
}

interface After {
  /** Offset of the comma behind the element; null when it is the last and has none. */
  readonly comma: number | null;
  /** Where the element's line ends; null when something of the list follows on it. */
  readonly lineEnd: number | null;
  /** Where the comma and the blanks behind the element end. */
  readonly inlineEnd: number;
}

// Kinds as the package numbers them.
const COMMA = 5;
const LINE_COMMENT = 12;
const BLOCK_COMMENT = 13;
const LINE_BREAK = 14;
const BLANKS = 15;

function after(text: string, end: number): After {
  const scanner = jsonc.createScanner(text, false);
  scanner.setPosition(end);
  let comma: number | null = null;
  let lineEnd: number | null = null;
  let inlineEnd = end;
  for (;;) {
    const kind: number = scanner.scan();
    const offset = scanner.getTokenOffset();
    if (kind === COMMA && comma === null) {
      comma = offset;
      // A comma on a line of its own ends the element there.
      lineEnd = null;
    } else if (kind === LINE_BREAK) lineEnd ??= offset;
    else if (kind !== BLANKS && kind !== LINE_COMMENT && kind !== BLOCK_COMMENT)
      return { comma, lineEnd, inlineEnd };
    const isInline = kind === COMMA || kind === BLANKS;
    if (isInline && offset === inlineEnd) inlineEnd = offset + scanner.getTokenLength();
    // Behind the comma and the end of the line there is nothing of this element any more.
    if (comma !== null && lineEnd !== null) return { comma, lineEnd, inlineEnd };
  }
}

function listAt(text: string, path: Path): Jsonc.Node {
  const root = jsonc.parseTree(text, [], { allowTrailingComma: true });
  const list = root === undefined ? undefined : jsonc.findNodeAtLocation(root, [...path]);
  if (list?.type !== 'array') throw new TypeError(`there is no list at ${path.join('.') || 'the top'}`);
  return list;
}

function lineStart(text: string, offset: number): number {
  return text.lastIndexOf('\n', offset - 1) + 1;
}

function onLines(value: unknown, margin: string, eol: string): string {
  return JSON.stringify(value, null, 2).replaceAll('\n', `${eol}${margin}`);
}

/** `{ "name": "a", "labels": ["x", "y"] }`, as a person writes it. */
function onOneLine(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(onOneLine).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const pairs = Object.entries(value).filter(([, one]) => one !== undefined);
  if (pairs.length === 0) return '{}';
  return `{ ${pairs.map(([key, one]) => `${JSON.stringify(key)}: ${onOneLine(one)}`).join(', ')} }`;
}
