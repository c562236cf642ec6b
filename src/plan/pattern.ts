/**
 * The grammar of path patterns (`modifies`, `shared_paths`, allowed extras), and its parsed form. Matching, overlap and
 * the index all work on this one form, so that what a pattern locks and what it permits can never drift apart.
 *
 *   literal characters · `?` one character · `*` any run inside a segment · `[abc] [a-z] [!x] [^x]` · `{a,b}`, nested
 *   `**` as a whole segment: any number of segments, at least one when it is last · trailing `/`: the whole subtree · `\x`: x itself
 *
 * Wildcards match a leading dot: an agent may write `.env` as well as any other file. Parentheses are literal, because
 * routers put them into folder names; extended globs, negation and `{1..9}` are refused instead of being guessed at.
 *
 * A pattern is also parsed *folded*: letters in one case and Unicode both composed and decomposed. Two agents on a Mac
 * would meet in `Readme.md` and `README.md`, so locks compare folded patterns; matching does not.
 */

/** Inclusive ranges of code points. */
export interface CharSet {
  readonly negated: boolean;
  readonly ranges: readonly (readonly [number, number])[];
}

export type Token =
  | { readonly is: 'char'; readonly code: number }
  | { readonly is: 'one' }
  | { readonly is: 'run' }
  | { readonly is: 'set'; readonly set: CharSet };

export type Segment =
  | { readonly is: 'literal'; readonly text: string }
  | { readonly is: 'glob'; readonly tokens: readonly Token[] }
  | { readonly is: 'deep' };

/** A pattern without braces. */
export interface Alternative {
  readonly segments: readonly Segment[];
  /** The one path it stands for; null when it has a wildcard. */
  readonly path: string | null;
  /** Literal segments before the first wildcard, never the last segment. */
  readonly folder: readonly string[];
  /** Characters every matching path begins with. */
  readonly prefix: string;
  /** Characters every matching path ends with. */
  readonly suffix: string;
}

export interface Pattern {
  readonly source: string;
  readonly exact: readonly Alternative[];
  /** In folded letters; more than `exact` when the pattern composes or decomposes differently. */
  readonly folded: readonly Alternative[];
}

/** Longest pattern, in UTF-16 units, and the most alternatives its braces may expand to. */
export const MAX_PATTERN_LENGTH = 512;
export const MAX_ALTERNATIVES = 128;

/** What is wrong with the text as a pattern, as a phrase that follows its name; null when nothing is. */
export function patternProblem(text: string): string | null {
  const parsed = parse(text);
  return 'problem' in parsed ? parsed.problem : null;
}

/** The parsed pattern. Text that is no pattern stands for every path, so that a lock on it errs on the safe side. */
export function compilePattern(text: string): Pattern {
  const known = compiled.get(text);
  if (known !== undefined) return known;
  const parsed = parse(text);
  const pattern: Pattern =
    'problem' in parsed
      ? { source: text, exact: EVERYTHING, folded: EVERYTHING }
      : { source: text, exact: parsed.alternatives, folded: foldedAlternatives(text, parsed.alternatives) };
  // Parsing is a function of the text alone, so forgetting is harmless; the bound is for controllers that run for months.
  if (compiled.size >= 50_000) compiled.clear();
  compiled.set(text, pattern);
  return pattern;
}

const compiled = new Map<string, Pattern>();

const ASCII = /^[\x20-\x7e]*$/;

function visible(text: string): string {
  return text.replace(/\p{Default_Ignorable_Code_Point}/gu, '');
}

/** One letter case for names that a case-insensitive file system takes for the same; one code point stays one code point. */
export function foldCase(text: string): string {
  if (ASCII.test(text)) return text.toLowerCase();
  let folded = '';
  for (const char of text) folded += foldChar(char);
  return folded;
}

type Parsed = { readonly alternatives: readonly Alternative[] } | { readonly problem: string };

function parse(text: string): Parsed {
  const problem = textProblem(text);
  if (problem !== null) return { problem };
  const expanded = expandBraces(text.endsWith('/') ? `${text}**` : text);
  if (typeof expanded === 'string') return { problem: expanded };
  const alternatives: Alternative[] = [];
  for (const plain of expanded) {
    const segments = parseSegments(plain);
    if (typeof segments === 'string') return { problem: segments };
    alternatives.push(alternativeOf(segments));
  }
  return { alternatives };
}

/** Problems that can be seen before anything is expanded. */
function textProblem(text: string): string | null {
  if (text === '') return 'is empty';
  if (text.trim() !== text) return 'begins or ends with a blank';
  if (text.length > MAX_PATTERN_LENGTH) return `is longer than ${MAX_PATTERN_LENGTH} characters`;
  // oxlint-disable-next-line no-control-regex -- control characters are exactly what is refused
  if (/[\u0000-\u001f\u007f]/.test(text)) return 'contains a control character';
  if (text.startsWith('/') || /^[A-Za-z]:[\\/]/.test(text))
    return 'is absolute; paths start at the top of the repository';
  if (text.startsWith('~/') || text === '~')
    return 'starts in a home directory; paths start at the top of the repository';
  if (text.startsWith('!'))
    return 'begins with `!`; patterns cannot be negated, list what the task may change';
  if (/(?<!\\)[@!+*?]\(/.test(text)) return 'uses an extended glob such as `@(a|b)`; write {a,b}';
  if (/\\(?:[A-Za-z0-9/]|$)/.test(text))
    return 'has a backslash that escapes nothing; paths are written with `/`';
  return null;
}

/** Expands `{a,b}`, nested, to plain patterns; a string is what is wrong. */
function expandBraces(text: string): string[] | string {
  let done: string[] = [];
  let open = [text];
  // Each pass expands the first brace of every pattern that still has one.
  while (open.length > 0) {
    const next: string[] = [];
    for (const pattern of open) {
      const brace = firstBrace(pattern);
      if (brace === null) done.push(pattern);
      else if (typeof brace === 'string') return brace;
      else for (const inner of brace.alternatives) next.push(brace.before + inner + brace.after);
      if (done.length + next.length > MAX_ALTERNATIVES) {
        return `expands to more than ${MAX_ALTERNATIVES} alternatives; use a wildcard`;
      }
    }
    open = next;
  }
  done = [...new Set(done)];
  return done;
}

interface Brace {
  readonly before: string;
  readonly alternatives: readonly string[];
  readonly after: string;
}

function firstBrace(text: string): Brace | string | null {
  let depth = 0;
  let start = -1;
  let from = -1;
  const alternatives: string[] = [];
  for (let i = 0; i < text.length; i++) {
    const char = text[i];
    if (char === '\\') i++;
    else if (char === '[') {
      const end = setEnd(text, i);
      if (end < 0) return 'has a `[` without its `]`';
      i = end;
    } else if (char === '{') {
      if (depth++ === 0) {
        start = i;
        from = i + 1;
      }
    } else if (char === '}') {
      if (depth === 0) return 'has a `}` without its `{`';
      if (--depth > 0) continue;
      alternatives.push(text.slice(from, i));
      if (alternatives.length === 1)
        return 'has braces without a comma; write {a,b}, or \\{ for the character';
      return { before: text.slice(0, start), alternatives, after: text.slice(i + 1) };
    } else if (char === ',' && depth === 1) {
      alternatives.push(text.slice(from, i));
      from = i + 1;
    }
  }
  return depth > 0 ? 'has a `{` without its `}`' : null;
}

/** Index of the `]` that closes the set opened at `open`, or -1. A `]` right after the opening belongs to the set. */
function setEnd(text: string, open: number): number {
  let i = open + 1;
  if (text[i] === '!' || text[i] === '^') i++;
  for (let first = true; i < text.length; i++, first = false) {
    if (text[i] === '\\') i++;
    else if (text[i] === ']' && !first) return i;
  }
  return -1;
}

function parseSegments(plain: string): Segment[] | string {
  const segments: Segment[] = [];
  for (const part of splitPath(plain)) {
    if (part === '') return 'has an empty part (`//`, or a `/` at its end inside braces)';
    if (part === '**') {
      if (segments.at(-1)?.is !== 'deep') segments.push({ is: 'deep' });
      continue;
    }
    const tokens = parseTokens(part);
    if (typeof tokens === 'string') return tokens;
    const segment = segmentOf(tokens);
    if (segment.is === 'literal') {
      if (segment.text === '..') return 'climbs out with `..`';
      if (segment.text === '.') return 'has a `.` part; leave it out';
      if (foldCase(visible(segment.text)) === '.git') return 'reaches into .git';
    }
    segments.push(segment);
  }
  return segments;
}

/** Splits at slashes outside of sets; a slash inside a set is reported by the token parser. */
function splitPath(plain: string): string[] {
  const parts: string[] = [];
  let from = 0;
  for (let i = 0; i < plain.length; i++) {
    if (plain[i] === '\\') i++;
    else if (plain[i] === '[') i = Math.max(i, setEnd(plain, i));
    else if (plain[i] === '/') {
      parts.push(plain.slice(from, i));
      from = i + 1;
    }
  }
  parts.push(plain.slice(from));
  return parts;
}

function parseTokens(part: string): Token[] | string {
  const tokens: Token[] = [];
  const chars = Array.from(part);
  for (let i = 0; i < chars.length; i++) {
    const char = chars[i] ?? '';
    if (char === '*') {
      if (chars[i + 1] === '*')
        return 'has `**` inside a name; it must stand alone between slashes, as in a/**/*.ts';
      tokens.push({ is: 'run' });
    } else if (char === '?') tokens.push({ is: 'one' });
    else if (char === '[') {
      const end = setEnd(part, lengthOf(chars, i));
      if (end < 0) return 'has a `[` without its `]`';
      const body = part.slice(lengthOf(chars, i) + 1, end);
      const set = parseSet(body);
      if (typeof set === 'string') return set;
      tokens.push({ is: 'set', set });
      i += Array.from(body).length + 1;
    } else {
      const literal = char === '\\' ? (chars[++i] ?? '') : char;
      tokens.push({ is: 'char', code: literal.codePointAt(0) ?? 0 });
    }
  }
  return tokens;
}

function lengthOf(chars: readonly string[], upTo: number): number {
  let length = 0;
  for (let i = 0; i < upTo; i++) length += chars[i]?.length ?? 0;
  return length;
}

function parseSet(body: string): CharSet | string {
  if (/^\[:|\[:\w+:\]?$/.test(body))
    return 'uses a named set such as [[:alpha:]]; write the characters, as in [a-z]';
  const negated = body.startsWith('!') || body.startsWith('^');
  const codes: { code: number; dash: boolean }[] = [];
  const chars = Array.from(negated ? body.slice(1) : body);
  for (let i = 0; i < chars.length; i++) {
    const escaped = chars[i] === '\\';
    const char = escaped ? (chars[++i] ?? '') : (chars[i] ?? '');
    if (char === '/') return 'has a `/` inside [ ]';
    codes.push({ code: char.codePointAt(0) ?? 0, dash: char === '-' && !escaped });
  }
  const ranges: [number, number][] = [];
  for (let i = 0; i < codes.length; i++) {
    const low = codes[i]?.code ?? 0;
    const high = codes[i + 2];
    if (codes[i + 1]?.dash === true && high !== undefined) {
      if (high.code < low) return 'has a range in [ ] that runs backwards';
      ranges.push([low, high.code]);
      i += 2;
    } else ranges.push([low, low]);
  }
  return { negated, ranges };
}

function segmentOf(tokens: readonly Token[]): Segment {
  let text = '';
  for (const token of tokens) {
    if (token.is !== 'char') return { is: 'glob', tokens };
    text += String.fromCodePoint(token.code);
  }
  return { is: 'literal', text };
}

function alternativeOf(segments: readonly Segment[]): Alternative {
  const literals: string[] = [];
  for (const segment of segments) {
    if (segment.is !== 'literal') break;
    literals.push(segment.text);
  }
  const path = literals.length === segments.length ? literals.join('/') : null;
  const folder = path === null ? literals : literals.slice(0, -1);
  const next = segments[folder.length];
  const start = folder.map((name) => `${name}/`).join('');
  return {
    segments,
    path,
    folder,
    prefix: path ?? start + (next?.is === 'glob' ? literalRun(next.tokens) : ''),
    suffix: path ?? literalTail(segments.at(-1)),
  };
}

function literalRun(tokens: readonly Token[]): string {
  let text = '';
  for (const token of tokens) {
    if (token.is !== 'char') break;
    text += String.fromCodePoint(token.code);
  }
  return text;
}

function literalTail(last: Segment | undefined): string {
  if (last === undefined || last.is === 'deep') return '';
  return last.is === 'literal' ? last.text : reversed(literalRun(last.tokens.toReversed()));
}

function reversed(text: string): string {
  return Array.from(text).toReversed().join('');
}

const EVERYTHING: readonly Alternative[] = [alternativeOf([{ is: 'deep' }])];

function foldedAlternatives(text: string, exact: readonly Alternative[]): Alternative[] {
  const forms = exact.map((alternative) => alternativeOf(alternative.segments.map(foldSegment)));
  // Plain ASCII has one form only. Some file systems also take no notice of invisible characters.
  const others = ASCII.test(text)
    ? []
    : [text.normalize('NFC'), text.normalize('NFD'), visible(text).normalize('NFC')];
  for (const other of new Set(others)) {
    if (other === text) continue;
    const parsed = parse(other);
    if ('problem' in parsed) continue;
    forms.push(
      ...parsed.alternatives.map((alternative) => alternativeOf(alternative.segments.map(foldSegment))),
    );
  }
  return forms;
}

function foldSegment(segment: Segment): Segment {
  switch (segment.is) {
    case 'deep':
      return segment;
    case 'literal':
      return { is: 'literal', text: foldCase(segment.text) };
    case 'glob':
      return { is: 'glob', tokens: segment.tokens.map(foldToken) };
  }
}

function foldToken(token: Token): Token {
  if (token.is === 'char') return { is: 'char', code: foldCode(token.code) };
  return token.is === 'set' ? foldSet(token.set) : token;
}

/** The folded characters of a set, or more than those where listing them would be long: a lock may be too wide, never too narrow. */
function foldSet(set: CharSet): Token {
  if (set.negated) {
    // An excluded letter may still come in by its other case; only what has no case stays excluded.
    const caseless = set.ranges.filter(([low, high]) => low === high && isCaseless(low));
    return caseless.length === 0 ? { is: 'one' } : { is: 'set', set: { negated: true, ranges: caseless } };
  }
  const size = set.ranges.reduce((sum, [low, high]) => sum + high - low + 1, 0);
  if (size > 1024) return { is: 'one' };
  const codes = new Set<number>();
  for (const [low, high] of set.ranges) for (let code = low; code <= high; code++) codes.add(foldCode(code));
  return {
    is: 'set',
    set: { negated: false, ranges: [...codes].sort((a, b) => a - b).map((code) => [code, code] as const) },
  };
}

function isCaseless(code: number): boolean {
  const char = String.fromCodePoint(code);
  return char.toLowerCase() === char && char.toUpperCase() === char;
}

function foldCode(code: number): number {
  return foldChar(String.fromCodePoint(code)).codePointAt(0) ?? code;
}

/** Upper, then lower case, where that is one character: joins all of σ ς Σ, and k with the Kelvin sign. */
function foldChar(char: string): string {
  const upper = single(char.toUpperCase(), char);
  return single(upper.toLowerCase(), upper);
}

function single(text: string, otherwise: string): string {
  return String.fromCodePoint(text.codePointAt(0) ?? 0) === text ? text : otherwise;
}
