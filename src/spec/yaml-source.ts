/**
 * YAML 1.2 to plain data with positions, for texts that a model or a stranger may have written: size, depth and
 * aliases are bounded, tags mean nothing, and every way in which the parser can fail becomes a problem with a place.
 */
import {
  type Document,
  isAlias,
  isMap,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  type YAMLError,
} from 'yaml';
import type { ErrorCode } from '../model/codes/index.ts';
import type { Problem } from '../model/error.ts';
import { FILE_START, type Position } from './problem.ts';
import type { Path, Source } from './source.ts';

/** Deepest nesting of lists and maps; configuration needs four. */
const MAX_DEPTH = 20;
/** Values after aliases are written out. A bomb reaches millions. */
const MAX_VALUES = 10_000;

/** The data of the text, or what is wrong with it. The text is the file's own up to `text`'s end, so positions are the file's. */
export function readYaml(text: string, file: string): { source: Source } | { problems: Problem[] } {
  // The parser calls itself for each level, so depth is bounded before it sees the text.
  const deep = deepPlace(text);
  if (deep !== null) return { problems: [tooDeep(file, deep)] };
  const lines = new LineCounter();
  try {
    const document = parseDocument(text, {
      lineCounter: lines,
      version: '1.2',
      schema: 'core',
      merge: false,
      customTags: [],
      prettyErrors: false,
      // 'silent' would let a second document pass unnoticed.
      logLevel: 'error',
      stringKeys: true,
    });
    const faults = [...document.errors, ...document.warnings];
    if (faults.length > 0) return { problems: faults.map((fault) => syntaxProblem(fault, file, lines)) };
    return { source: sourceOf(document, file, lines) };
  } catch (error) {
    if (error instanceof Bomb) return { problems: [tooDeep(file, positionOf(lines, error.offset))] };
    if (error instanceof UnknownAlias) {
      const at = positionOf(lines, error.offset);
      const message = `\`*${error.alias}\` refers to an anchor that does not exist`;
      return { problems: [{ ...problemAt('E_SPEC_SYNTAX', file, at, message), fix: QUOTE_STAR }] };
    }
    // The parser has thrown ReferenceError and RangeError at odd input: whatever it is, it is the file's fault.
    const why = error instanceof Error ? error.message : String(error);
    return { problems: [problemAt('E_SPEC_SYNTAX', file, FILE_START, `the YAML cannot be read: ${why}`)] };
  }
}

class Bomb extends Error {
  readonly offset: number;
  constructor(offset: number) {
    super('too many values');
    this.offset = offset;
  }
}

class UnknownAlias extends Error {
  readonly offset: number;
  readonly alias: string;
  constructor(offset: number, alias: string) {
    super('unknown alias');
    this.offset = offset;
    this.alias = alias;
  }
}

const QUOTE_STAR = 'quote a text that begins with `*`: "**/*.py"';

/**
 * Where the text first nests deeper than configuration does, or null. Brackets outside of quotes and comments, block
 * indicators on one line (`- - - `), and growing indentation are each counted alone; a text that fools one counter is
 * still caught when the data is walked.
 */
function deepPlace(text: string): Position | null {
  const indents: number[] = [];
  let brackets = 0;
  for (const [index, line] of text.split('\n').entries()) {
    const body = line.trimStart();
    if (body === '' || body.startsWith('#')) continue;
    const indent = line.length - body.length;
    while (indents.length > 0 && (indents.at(-1) ?? 0) >= indent) indents.pop();
    indents.push(indent);
    const markers = /^(?:[-?:] +)+/.exec(body)?.[0] ?? '';
    const nested = indents.length + markers.replaceAll(/\s/g, '').length;
    if (nested > 4 * MAX_DEPTH) return { line: index + 1, col: indent + 1 };
    for (const char of line) {
      if (char === '[' || char === '{') brackets++;
      else if ((char === ']' || char === '}') && brackets > 0) brackets--;
      if (brackets > 4 * MAX_DEPTH) return { line: index + 1, col: indent + 1 };
    }
  }
  return null;
}

function sourceOf(document: Document.Parsed, file: string, lines: LineCounter): Source {
  const root = document.contents;
  const value = plain(document, root, { depth: 0, left: MAX_VALUES, expanding: new Set() });
  const step = (path: Path): { node: Node | null; key: Node | null } => follow(document, root, path);
  return {
    file,
    value,
    at: (path) => {
      for (let length = path.length; length >= 0; length--) {
        const { node, key } = step(path.slice(0, length));
        const offset = node?.range?.[0] ?? key?.range?.[0];
        // A map's place is that of its first key, which is not what a missing key wants: the file's start is.
        if (offset !== undefined)
          return length === 0 && path.length > 0 ? FILE_START : positionOf(lines, offset);
      }
      return FILE_START;
    },
    keyAt: (path) => {
      const offset = step(path).key?.range?.[0];
      return offset === undefined ? FILE_START : positionOf(lines, offset);
    },
    written: (path) => {
      const { node } = step(path);
      if (!isScalar(node) || node.type !== 'PLAIN' || node.value === null) return null;
      return typeof node.value === 'string' ? null : (node.source ?? null);
    },
  };
}

interface Walk {
  depth: number;
  left: number;
  readonly expanding: Set<Node>;
}

function plain(document: Document.Parsed, node: unknown, walk: Walk): unknown {
  const offset = (node as Node | null)?.range?.[0] ?? 0;
  if (--walk.left < 0 || walk.depth > MAX_DEPTH) throw new Bomb(offset);
  if (isAlias(node)) {
    const target = node.resolve(document);
    // An anchor may contain its own alias.
    if (target === undefined) throw new UnknownAlias(offset, node.source);
    if (walk.expanding.has(target)) throw new Bomb(offset);
    walk.expanding.add(target);
    const value = plain(document, target, walk);
    walk.expanding.delete(target);
    return value;
  }
  walk.depth++;
  let value: unknown = null;
  if (isScalar(node)) value = node.value;
  else if (isSeq(node)) value = node.items.map((item) => plain(document, item, walk));
  else if (isMap(node)) {
    const entries = node.items.map((pair) => [keyText(pair), plain(document, pair.value, walk)] as const);
    value = Object.fromEntries(entries);
  }
  walk.depth--;
  return value;
}

function follow(
  document: Document.Parsed,
  root: Node | null,
  path: Path,
): { node: Node | null; key: Node | null } {
  let node: Node | null = root;
  let key: Node | null = null;
  for (const name of path) {
    if (isAlias(node)) node = node.resolve(document) ?? null;
    if (isMap(node)) {
      const pair: Pair | undefined = node.items.find((item) => keyText(item) === String(name));
      key = (pair?.key ?? null) as Node | null;
      node = (pair?.value ?? null) as Node | null;
      if (pair === undefined) return { node: null, key: null };
    } else if (isSeq(node)) {
      key = node = (node.items[Number(name)] ?? null) as Node | null;
    } else return { node: null, key: null };
  }
  return { node, key };
}

function keyText(pair: Pair): string {
  if (!isPair(pair) || !isScalar(pair.key)) return '';
  return pair.key.source ?? String(pair.key.value);
}

function syntaxProblem(fault: YAMLError, file: string, lines: LineCounter): Problem {
  const at = positionOf(lines, fault.pos[0]);
  if (fault.code === 'DUPLICATE_KEY') {
    return {
      ...problemAt('E_SPEC_DUPLICATE_KEY', file, at, 'the same key twice'),
      fix: 'remove one of the two',
    };
  }
  const advice = ADVICE[fault.code];
  return {
    ...problemAt('E_SPEC_SYNTAX', file, at, firstLine(fault.message)),
    ...(advice && { fix: advice }),
  };
}

const ADVICE: Readonly<Partial<Record<string, string>>> = {
  TAB_AS_INDENT: 'indent with blanks',
  BAD_ALIAS: QUOTE_STAR,
  MULTIPLE_DOCS: 'a file holds one YAML document: remove the line `---`',
  TAG_RESOLVE_FAILED: 'quote a text that begins with `!`',
  BAD_SCALAR_START: 'quote the text',
  BLOCK_AS_IMPLICIT_KEY: 'quote a text that contains `: `',
  MISSING_CHAR: 'a quote, comma or bracket is missing',
};

function firstLine(message: string): string {
  return message.split('\n')[0] ?? message;
}

function tooDeep(file: string, at: Position): Problem {
  return {
    ...problemAt('E_SPEC_TOO_DEEP', file, at, 'the YAML nests too deep, or multiplies itself by aliases'),
    expected: `at most ${MAX_DEPTH} levels and ${MAX_VALUES} values`,
    fix: 'write the values out, in few levels',
  };
}

function positionOf(lines: LineCounter, offset: number): Position {
  const { line, col } = lines.linePos(offset);
  return line > 0 ? { line, col } : FILE_START;
}

function problemAt(code: ErrorCode, file: string, at: Position, message: string): Problem {
  return { code, severity: 'error', file, line: at.line, col: at.col, message };
}
