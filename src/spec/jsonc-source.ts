/** JSON with comments and trailing commas to plain data with positions. */
import { createRequire } from 'node:module';
import type * as Jsonc from 'jsonc-parser';
import type { Problem } from '../model/error.ts';
import { FILE_START, type Position } from './problem.ts';
import type { Path, Source } from './source.ts';

// The package's main file loads its parts through an indirection that a bundler cannot follow, and its other build is
// no valid module for Node; loaded at run time it works from sources and from the bundle alike.
export const jsonc = createRequire(import.meta.url)('jsonc-parser') as typeof Jsonc;

/** nodes.json needs two levels. The parser calls itself for each one. */
const MAX_DEPTH = 64;

/** The data of the text, or what is wrong with it. */
export function readJsonc(text: string, file: string): { source: Source } | { problems: Problem[] } {
  const starts = lineStarts(text);
  const faults: Jsonc.ParseError[] = [];
  if (tooDeep(text)) {
    const message = `the JSON nests deeper than ${MAX_DEPTH} levels`;
    return { problems: [{ code: 'E_SPEC_TOO_DEEP', severity: 'error', file, ...FILE_START, message }] };
  }
  const root = jsonc.parseTree(text, faults, { allowTrailingComma: true });
  const [first] = faults;
  if (first !== undefined || root === undefined) {
    const at = first === undefined ? FILE_START : positionOf(starts, first.offset);
    const what = first === undefined ? 'ValueExpected' : jsonc.printParseErrorCode(first.error);
    // What follows the first fault is mostly its echo.
    return { problems: [{ code: 'E_SPEC_SYNTAX', severity: 'error', file, ...at, message: inWords(what) }] };
  }
  const twins = duplicateKeys(root, file, starts);
  return twins.length > 0 ? { problems: twins } : { source: sourceOf(root, file, starts) };
}

function sourceOf(root: Jsonc.Node, file: string, starts: readonly number[]): Source {
  const find = (path: Path): Jsonc.Node | undefined =>
    jsonc.findNodeAtLocation(root, path as (string | number)[]);
  const at = (path: Path): Position => {
    for (let length = path.length; length >= 0; length--) {
      const node = find(path.slice(0, length));
      if (node !== undefined) return positionOf(starts, node.offset);
    }
    return FILE_START;
  };
  return {
    file,
    value: jsonc.getNodeValue(root) as unknown,
    at,
    keyAt: (path) => {
      const property = find(path)?.parent;
      return property?.type === 'property' ? positionOf(starts, property.offset) : at(path);
    },
    // JSON has quotes: a number is meant as one.
    written: () => null,
  };
}

function duplicateKeys(root: Jsonc.Node, file: string, starts: readonly number[]): Problem[] {
  const problems: Problem[] = [];
  const open: Jsonc.Node[] = [root];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    const seen = new Set<unknown>();
    for (const child of node.children ?? []) {
      open.push(child);
      const key = node.type === 'object' ? child.children?.[0] : undefined;
      if (key === undefined) continue;
      if (seen.has(key.value)) {
        problems.push({
          code: 'E_SPEC_DUPLICATE_KEY',
          severity: 'error',
          file,
          ...positionOf(starts, key.offset),
          message: `the key ${JSON.stringify(key.value)} a second time`,
          fix: 'remove one of the two',
        });
      }
      seen.add(key.value);
    }
  }
  return problems;
}

function tooDeep(text: string): boolean {
  const scanner = jsonc.createScanner(text, true);
  // Kinds as the package numbers them: { is 1, } is 2, [ is 3, ] is 4, the end is 17.
  for (let depth = 0, kind: number = scanner.scan(); kind !== 17; kind = scanner.scan()) {
    if (kind === 1 || kind === 3) depth++;
    else if (kind === 2 || kind === 4) depth--;
    if (depth > MAX_DEPTH) return true;
  }
  return false;
}

/** `CloseBracketExpected` -> `close bracket expected` */
function inWords(name: string): string {
  return name.replaceAll(/(?<=[a-z])[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`).toLowerCase();
}

function lineStarts(text: string): number[] {
  const starts = [0];
  for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', end + 1)) starts.push(end + 1);
  return starts;
}

function positionOf(starts: readonly number[], offset: number): Position {
  let low = 0;
  let high = starts.length;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((starts[middle] ?? 0) <= offset) low = middle;
    else high = middle;
  }
  return { line: low + 1, col: offset - (starts[low] ?? 0) + 1 };
}
