/**
 * Can two patterns touch the same path? Decided exactly on their parsed form: a path is a sequence of segments and a
 * segment a sequence of characters, and in both a pattern is a sequence of single elements and wildcards for any
 * number of them. So one algorithm serves both levels: search the product of the two sequences, where a wildcard either
 * ends or takes the other side's next element. Its states are pairs of positions, so it takes at most the product
 * of the lengths; general automata took a hundred times as long, which 10,000 tasks feel.
 *
 * Patterns are compared folded (see pattern.ts): paths that differ only by case, or by how an accent is composed, are
 * one file on a Mac. "Disjoint" is never said of patterns that can meet.
 */
import { matchesAlternative } from './match.ts';
import {
  type Alternative,
  type CharSet,
  compilePattern,
  type Pattern,
  type Segment,
  type Token,
} from './pattern.ts';

/** A path that both patterns can touch, for the message; null when they can never touch the same one. */
export function overlap(a: string, b: string): string | null {
  const left = compilePattern(a);
  const right = compilePattern(b);
  return commonPath(left.exact, right.exact) ?? twinPath(left, right);
}

/** True when some path belongs to both. */
export function alternativesMeet(a: Alternative, b: Alternative): boolean {
  return pathOfBoth(a, b) !== null;
}

function commonPath(left: readonly Alternative[], right: readonly Alternative[]): string | null {
  for (const a of left) {
    for (const b of right) {
      const path = pathOfBoth(a, b);
      if (path !== null) return path;
    }
  }
  return null;
}

/** A path of patterns that meet only by letter case or composition: a literal as it was written, else in folded letters. */
function twinPath(left: Pattern, right: Pattern): string | null {
  for (const [i, a] of left.folded.entries()) {
    for (const [j, b] of right.folded.entries()) {
      const path = pathOfBoth(a, b);
      if (path !== null) return left.exact[i]?.path ?? right.exact[j]?.path ?? path;
    }
  }
  return null;
}

function pathOfBoth(a: Alternative, b: Alternative): string | null {
  if (a.path !== null) return matchesAlternative(b, a.path) ? a.path : null;
  if (b.path !== null) return matchesAlternative(a, b.path) ? b.path : null;
  if (!a.prefix.startsWith(b.prefix) && !b.prefix.startsWith(a.prefix)) return null;
  if (!a.suffix.endsWith(b.suffix) && !b.suffix.endsWith(a.suffix)) return null;
  return common(withOneAtEnd(a.segments), withOneAtEnd(b.segments), SEGMENTS)?.join('/') ?? null;
}

/** What a level's elements are: which are wildcards, and what two single ones have in common. */
interface Level<Element> {
  readonly isWild: (element: Element) => boolean;
  /** A text that both stand for; null: none. */
  readonly ofBoth: (a: Element, b: Element) => string | null;
  /** A text that the element stands for. */
  readonly ofOne: (element: Element) => string;
}

/** A sequence of texts that both patterns stand for, element by element; null when there is none. */
function common<Element>(
  a: readonly Element[],
  b: readonly Element[],
  level: Level<Element>,
): string[] | null {
  const dead = new Set<number>();
  const search = (i: number, j: number): string[] | null => {
    const state = i * (b.length + 1) + j;
    if (dead.has(state)) return null;
    const found = step(i, j);
    if (found === null) dead.add(state);
    return found;
  };
  const step = (i: number, j: number): string[] | null => {
    const x = a[i];
    const y = b[j];
    if (x === undefined && y === undefined) return [];
    // Against another wildcard it is enough that one of them ends: what both take can be taken by the one that stays.
    if (x !== undefined && level.isWild(x)) {
      return (
        search(i + 1, j) ??
        (y === undefined ? null : after(level.isWild(y) ? null : level.ofOne(y), search(i, j + 1)))
      );
    }
    if (y !== undefined && level.isWild(y)) {
      return search(i, j + 1) ?? (x === undefined ? null : after(level.ofOne(x), search(i + 1, j)));
    }
    if (x === undefined || y === undefined) return null;
    const text = level.ofBoth(x, y);
    return text === null ? null : after(text, search(i + 1, j + 1));
  };
  return search(0, 0);
}

function after(first: string | null, rest: string[] | null): string[] | null {
  return rest === null || first === null ? rest : [first, ...rest];
}

const ANY_SEGMENT: Segment = { is: 'glob', tokens: [{ is: 'run' }] };

/** `**` at the end stands for at least one segment. */
function withOneAtEnd(segments: readonly Segment[]): readonly Segment[] {
  return segments.at(-1)?.is === 'deep' ? [...segments, ANY_SEGMENT] : segments;
}

const SEGMENTS: Level<Segment> = {
  isWild: ({ is }) => is === 'deep',
  ofBoth: (a, b) =>
    a.is === 'literal' && b.is === 'literal'
      ? a.text === b.text
        ? a.text
        : null
      : (common(tokensOf(a), tokensOf(b), TOKENS)?.join('') ?? null),
  ofOne: (segment) =>
    segment.is === 'literal' ? segment.text : tokensOf(segment).map(TOKENS.ofOne).join(''),
};

/** A segment is never empty, so a lone `*` takes at least one character. */
function tokensOf(segment: Segment): readonly Token[] {
  if (segment.is === 'literal') {
    return Array.from(segment.text, (char) => ({ is: 'char', code: char.codePointAt(0) ?? 0 }));
  }
  if (segment.is === 'deep') return [];
  return segment.tokens.every(({ is }) => is === 'run') ? [{ is: 'one' }, ...segment.tokens] : segment.tokens;
}

const TOKENS: Level<Token> = {
  isWild: ({ is }) => is === 'run',
  ofBoth: (a, b) => {
    if (a.is === 'char' && b.is === 'char') return a.code === b.code ? String.fromCodePoint(a.code) : null;
    return readable(intersection(rangesOf(a), rangesOf(b)));
  },
  ofOne: (token) => (token.is === 'run' ? '' : (readable(rangesOf(token)) ?? '')),
};

type Ranges = CharSet['ranges'];

const LAST_CODE = 0x10ffff;
const SLASH = 0x2f;

/** The characters a token stands for, in order; no segment contains a slash. */
function rangesOf(token: Token): Ranges {
  if (token.is === 'char') return [[token.code, token.code]];
  if (token.is !== 'set') return complement([[SLASH, SLASH]]);
  const { negated, ranges } = token.set;
  return negated
    ? complement([...ranges, [SLASH, SLASH]])
    : intersection(merged(ranges), complement([[SLASH, SLASH]]));
}

function merged(ranges: Ranges): Ranges {
  return complement(complement(ranges));
}

/** All characters but NUL and those in the ranges, which may come in any order and overlap. */
function complement(ranges: Ranges): Ranges {
  const gaps: [number, number][] = [];
  let from = 1;
  for (const [low, high] of ranges.toSorted((a, b) => a[0] - b[0])) {
    if (low > from) gaps.push([from, low - 1]);
    from = Math.max(from, high + 1);
  }
  if (from <= LAST_CODE) gaps.push([from, LAST_CODE]);
  return gaps;
}

function intersection(a: Ranges, b: Ranges): Ranges {
  return a.flatMap(([low, high]) =>
    b
      .map(([from, to]) => [Math.max(low, from), Math.min(high, to)] as const)
      .filter(([from, to]) => from <= to),
  );
}

/** One character of the ranges, a letter or digit if there is one; null when they are empty. */
function readable(ranges: Ranges): string | null {
  const [first] = ranges;
  if (first === undefined) return null;
  for (const [from, to] of [
    [0x61, 0x7a],
    [0x30, 0x39],
    [0x41, 0x5a],
    [0x21, 0x7e],
  ] as const) {
    const [plain] = intersection([[from, to]], ranges);
    if (plain !== undefined) return String.fromCodePoint(plain[0]);
  }
  return String.fromCodePoint(first[0]);
}
