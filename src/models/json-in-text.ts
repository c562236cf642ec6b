/**
 * The JSON object in what a model wrote. Models that promise JSON keep to it mostly: around it there may be thoughts,
 * a fence, or a sentence, and in it comments or a comma too many. Nothing is guessed beyond that.
 */
import type { ParseError } from 'jsonc-parser';
import { jsonc } from '../spec/jsonc-source.ts';

/** The value, or what is wrong in one line. */
export function jsonInText(text: string): { readonly value: unknown } | { readonly problem: string } {
  const said = text.replace(/<think>[\s\S]*?<\/think>/g, '').trim();
  const whole = read(said);
  if ('value' in whole) return whole;
  const start = said.indexOf('{');
  if (start < 0)
    return { problem: said === '' ? 'the answer is empty' : 'there is no JSON object in the answer' };
  // From the first brace to its partner; braces inside of texts do not count.
  const end = partnerOf(said, start);
  if (end < 0) return { problem: 'the JSON object does not end' };
  return read(said.slice(start, end + 1));
}

function read(text: string): { value: unknown } | { problem: string } {
  const errors: ParseError[] = [];
  const value: unknown = jsonc.parse(text, errors, { allowTrailingComma: true });
  const [first] = errors;
  if (first !== undefined) {
    const line = text.slice(0, first.offset).split('\n').length;
    return { problem: `not JSON: ${jsonc.printParseErrorCode(first.error)} in line ${line}` };
  }
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isObject ? { value } : { problem: 'the answer is JSON and not an object' };
}

function partnerOf(text: string, start: number): number {
  let depth = 0;
  let quoted = false;
  for (let at = start; at < text.length; at++) {
    const char = text[at];
    if (quoted) {
      if (char === '\\') at++;
      else if (char === '"') quoted = false;
    } else if (char === '"') quoted = true;
    else if (char === '{') depth++;
    else if (char === '}' && --depth === 0) return at;
  }
  return -1;
}
