/**
 * What is particular to Python: bodies of `pass` and `...`, and the two meanings of NotImplemented.
 */
import { indentOf, type RunLine } from './run-line.ts';

/**
 * True where Python wants the word: `raise NotImplementedError` is the body of an abstract method, and `return
 * NotImplemented` the answer of an operator (`__eq__` and its like) to an operand it does not know.
 */
export function mayNotBeImplemented(run: readonly RunLine[], at: number): boolean {
  const code = run[at]?.split.code ?? '';
  if (!/\b(?:raise|return)\s+NotImplemented/.test(code)) return false;
  const definition = definitionAbove(run, at);
  if (definition === null) return false;
  return (/\breturn\b/.test(code) && definition.name.startsWith('_')) || isDeclaration(run, definition.at);
}

/** Functions of `pass` or `...` alone, with or without a docstring: the line of each signature, and the name. */
export function emptyPython(run: readonly RunLine[]): { line: number; name: string }[] {
  const found: { line: number; name: string }[] = [];
  for (const [at, line] of run.entries()) {
    const name = DEFINITION.exec(line.split.code)?.[1];
    if (name === undefined || isDeclaration(run, at)) continue;
    const end = signatureEnd(run, at);
    if (end === null) continue;
    const rest = (run[end]?.split.code ?? '').replace(/^.*:(?=\s*(?:pass|\.\.\.)?\s*$)/, '').trim();
    const inline = /^(?:pass|\.\.\.)$/.test(rest);
    if (inline ? run[end]?.split.comment === '' : emptyPythonBody(run, at, end))
      found.push({ line: line.line, name });
  }
  return found;
}

/** Index of the line on which the signature ends, or null when it does not end among the added lines. */
function signatureEnd(run: readonly RunLine[], start: number): number | null {
  let depth = 0;
  for (let at = start; at < Math.min(run.length, start + 40); at++) {
    const code = run[at]?.split.code ?? '';
    depth += count(code, /[([{]/g) - count(code, /[)\]}]/g);
    if (depth <= 0 && /:\s*(?:pass|\.\.\.)?\s*$/.test(code)) return at;
    if (depth <= 0 && /:\s*\S/.test(code)) return null;
  }
  return null;
}

function emptyPythonBody(run: readonly RunLine[], start: number, end: number): boolean {
  const indent = indentOf(run[start]?.text ?? '');
  let idle = false;
  for (const { text, split } of run.slice(end + 1)) {
    const saysNothing = split.code.replace(/"/g, '').trim() === '';
    if (saysNothing) {
      if (/^\s*#/.test(text) || IDLE_ON_PURPOSE.test(split.comment)) return false;
      continue;
    }
    if (indentOf(text) <= indent) break;
    if (!/^\s*(?:pass|\.\.\.)\s*;?\s*$/.test(split.code) || split.comment !== '') return false;
    idle = true;
  }
  return idle;
}

/** A docstring that says so is as good as a comment. */
const IDLE_ON_PURPOSE =
  /\b(?:hooks?|no-?op|nothing|overrid(?:e|den)|subclass(?:es)?|intentional(?:ly)?|deliberate(?:ly)?|by default|optional)\b/i;

/** Abstract, overloaded or a protocol's: the decorators above, or the class around, say so. */
function isDeclaration(run: readonly RunLine[], at: number): boolean {
  let above = at - 1;
  for (; above >= 0 && /^\s*@/.test(run[above]?.text ?? ''); above--) {
    if (/@(?:[\w.]+\.)?(?:abstract\w*|overload|hookspec\w*)\b/.test(run[above]?.text ?? '')) return true;
  }
  const indent = indentOf(run[at]?.text ?? '');
  for (const last = Math.max(0, above - LOOK_BACK); above >= last; above--) {
    const { text = '', split } = run[above] ?? {};
    if (split === undefined || split.code.trim() === '' || indentOf(text) >= indent) continue;
    return /^\s*class\s+\w+.*\b(?:Protocol|ABC|ABCMeta)\b/.test(split.code);
  }
  return false;
}

/** Lines looked at above a definition: a class is rarely longer, and a hostile file must not cost the square of its length. */
const LOOK_BACK = 400;

function definitionAbove(run: readonly RunLine[], at: number): { at: number; name: string } | null {
  for (let above = at - 1; above >= Math.max(0, at - LOOK_BACK); above--) {
    const name = DEFINITION.exec(run[above]?.split.code ?? '')?.[1];
    if (name !== undefined) return { at: above, name };
  }
  return null;
}

const DEFINITION = /^\s*(?:async\s+)?def\s+(\w+)/;

function count(text: string, pattern: RegExp): number {
  return text.match(pattern)?.length ?? 0;
}
