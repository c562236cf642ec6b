/**
 * Can two patterns touch the same path? Exact for literal paths; for wildcards decided on automata (the intersection
 * of two regular languages, by refa), so "disjoint" is never said of patterns that can meet. Patterns are compared
 * folded (see pattern.ts): paths that differ only by case, or by how an accent is composed, are one file on a Mac.
 */
import { getIntersectionWordSets, isDisjointWith, JS, NFA, TooManyNodesError, Words } from 'refa';
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
  if (!left.folded.some((one) => right.folded.some((other) => alternativesMeet(one, other)))) return null;
  return commonPath(left.exact, right.exact) ?? twinPath(left, right) ?? a;
}

/** True when some path belongs to both. Cheap where prefixes, suffixes or literals decide. */
export function alternativesMeet(a: Alternative, b: Alternative): boolean {
  if (a.path !== null) return matchesAlternative(b, a.path);
  if (b.path !== null) return matchesAlternative(a, b.path);
  if (!a.prefix.startsWith(b.prefix) && !b.prefix.startsWith(a.prefix)) return false;
  if (!a.suffix.endsWith(b.suffix) && !b.suffix.endsWith(a.suffix)) return false;
  if (isSubtree(a) && isSubtree(b)) return true;
  try {
    return !isDisjointWith(automaton(a), automaton(b));
  } catch (error) {
    if (error instanceof TooManyNodesError) return true;
    throw error;
  }
}

/** `folder/**`: two of them whose prefixes agree always meet. */
function isSubtree({ segments, folder }: Alternative): boolean {
  return segments.length === folder.length + 1 && segments.at(-1)?.is === 'deep';
}

/** A path of patterns that meet only by letter case or composition: a literal as it was written, else in folded letters. */
function twinPath(left: Pattern, right: Pattern): string | null {
  for (const [i, a] of left.folded.entries()) {
    for (const [j, b] of right.folded.entries()) {
      if (!alternativesMeet(a, b)) continue;
      const written = left.exact[i]?.path ?? right.exact[j]?.path;
      return written ?? a.path ?? b.path ?? commonWord(a, b);
    }
  }
  return null;
}

function commonPath(left: readonly Alternative[], right: readonly Alternative[]): string | null {
  for (const a of left) {
    for (const b of right) {
      if (!alternativesMeet(a, b)) continue;
      const path = a.path ?? b.path ?? commonWord(a, b);
      if (path !== null) return path;
    }
  }
  return null;
}

function commonWord(a: Alternative, b: Alternative): string | null {
  try {
    for (const wordSet of getIntersectionWordSets(automaton(a), automaton(b))) {
      return Words.fromUnicodeToString(Words.pickMostReadableWord(wordSet));
    }
  } catch (error) {
    if (!(error instanceof TooManyNodesError)) throw error;
  }
  return null;
}

const automata = new WeakMap<Alternative, NFA>();

function automaton(alternative: Alternative): NFA {
  const known = automata.get(alternative);
  if (known !== undefined) return known;
  const { expression, maxCharacter } = JS.Parser.fromLiteral({
    source: regexSource(alternative.segments),
    flags: 'u',
  }).parse();
  const nfa = NFA.fromRegex(expression, { maxCharacter });
  automata.set(alternative, nfa);
  return nfa;
}

/** The alternative as a regular expression without look-around: the language the automaton accepts. */
function regexSource(segments: readonly Segment[]): string {
  return segments
    .map((segment, index) => {
      const last = index === segments.length - 1;
      if (segment.is === 'deep') return last ? '[^\\/]+(?:\\/[^\\/]+)*' : '(?:[^\\/]+\\/)*';
      return segmentSource(segment) + (last ? '' : '\\/');
    })
    .join('');
}

function segmentSource(segment: Exclude<Segment, { is: 'deep' }>): string {
  if (segment.is === 'literal')
    return Array.from(segment.text, (char) => escapeCode(char.codePointAt(0) ?? 0)).join('');
  // No path has an empty segment, so a lone `*` takes at least one character.
  if (segment.tokens.every((token) => token.is === 'run')) return '[^\\/]+';
  return segment.tokens.map(tokenSource).join('');
}

function tokenSource(token: Token): string {
  switch (token.is) {
    case 'char':
      return escapeCode(token.code);
    case 'one':
      return '[^\\/]';
    case 'run':
      return '[^\\/]*';
    case 'set':
      return setSource(token.set);
  }
}

function setSource({ negated, ranges }: CharSet): string {
  const members = ranges.map(([low, high]) => `${escapeCode(low)}-${escapeCode(high)}`).join('');
  // A range such as [+-9] spans the slash, which no segment contains.
  return negated ? `[^\\/${members}]` : withoutSlash(ranges);
}

function withoutSlash(ranges: CharSet['ranges']): string {
  const members = ranges.flatMap(([low, high]) =>
    low <= SLASH && SLASH <= high
      ? [[low, SLASH - 1] as const, [SLASH + 1, high] as const].filter(([from, to]) => from <= to)
      : [[low, high] as const],
  );
  return `[${members.map(([low, high]) => `${escapeCode(low)}-${escapeCode(high)}`).join('')}]`;
}

const SLASH = 0x2f;

function escapeCode(code: number): string {
  return `\\u{${code.toString(16)}}`;
}
