/** The JSON of an example: whether it is JSON, and the names of its fields with their places in the contract. */
import type * as Jsonc from 'jsonc-parser';
import { jsonc } from '../spec/jsonc-source.ts';
import type { Position } from '../spec/problem.ts';
import type { Example } from './read.ts';

export interface Field {
  readonly name: string;
  /** As JSON has it: string, number, boolean, array, object, null. */
  readonly type: string;
  readonly at: Position;
}

export type ReadExample =
  | { readonly fields: readonly Field[] }
  /** Why it is no JSON, and where. */
  | { readonly fault: string; readonly at: Position };

/** Deeper than any example of an interface; the parser calls itself for each level. */
const MAX_DEPTH = 64;

export function readExample({ json, comments, at }: Example): ReadExample {
  if (json.trim() === '') return { fault: 'the example is empty', at };
  const deep = tooDeep(json);
  if (deep !== null)
    return { fault: `it nests deeper than ${MAX_DEPTH} levels`, at: placeOf(json, deep, at) };
  const faults: Jsonc.ParseError[] = [];
  const root = jsonc.parseTree(json, faults, { disallowComments: !comments, allowTrailingComma: comments });
  const [first] = faults;
  if (first !== undefined || root === undefined) {
    const why = first === undefined ? 'value expected' : inWords(jsonc.printParseErrorCode(first.error));
    return { fault: why, at: placeOf(json, first?.offset ?? 0, at) };
  }
  return { fields: fieldsOf(root, json, at) };
}

function fieldsOf(root: Jsonc.Node, json: string, at: Position): Field[] {
  const fields: Field[] = [];
  const walk = (node: Jsonc.Node): void => {
    const key = node.type === 'property' ? node.children?.[0] : undefined;
    if (key !== undefined)
      fields.push({
        name: String(key.value),
        type: node.children?.[1]?.type ?? 'null',
        at: placeOf(json, key.offset + 1, at),
      });
    for (const child of node.children ?? []) walk(child);
  };
  walk(root);
  return fields;
}

/** Offset at which it is too deep; strings are stepped over. */
function tooDeep(json: string): number | null {
  let depth = 0;
  for (const { 0: token, index } of json.matchAll(/"(?:[^"\\\n]|\\.)*"|[[{\]}]/gu)) {
    if (token === '{' || token === '[') depth += 1;
    else if (token === '}' || token === ']') depth -= 1;
    if (depth > MAX_DEPTH) return index;
  }
  return null;
}

function placeOf(json: string, offset: number, at: Position): Position {
  const before = json.slice(0, offset).split('\n');
  return { line: at.line + before.length - 1, col: (before.at(-1)?.length ?? 0) + 1 };
}

/** `CloseBracketExpected` -> `close bracket expected` */
function inWords(name: string): string {
  return name.replaceAll(/(?<=[a-z])[A-Z]/gu, (letter) => ` ${letter.toLowerCase()}`).toLowerCase();
}
