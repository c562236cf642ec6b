/**
 * Does a path match a pattern? Runs in time proportional to path times pattern whatever either contains: the paths
 * are written by agents, and a backtracking regular expression could be made to hang a gate.
 */
import { type Alternative, compilePattern, type CharSet, type Segment, type Token } from './pattern.ts';

/** True when the repository path (segments joined by `/`) matches the pattern. Case matters, as it does to git. */
export function matches(pattern: string, path: string): boolean {
  return compilePattern(pattern).exact.some((alternative) => matchesAlternative(alternative, path));
}

/** The same for a list of patterns: true when at least one matches. Literal patterns cost one look-up together. */
export function compileMatcher(patterns: readonly string[]): (path: string) => boolean {
  const literals = new Set<string>();
  const globs: Alternative[] = [];
  for (const pattern of patterns) {
    for (const alternative of compilePattern(pattern).exact) {
      if (alternative.path === null) globs.push(alternative);
      else literals.add(alternative.path);
    }
  }
  return (path) => literals.has(path) || globs.some((glob) => matchesAlternative(glob, path));
}

/** True when the path is one that the alternative stands for. */
export function matchesAlternative(alternative: Alternative, path: string): boolean {
  if (alternative.path !== null) return alternative.path === path;
  if (!path.startsWith(alternative.prefix) || !path.endsWith(alternative.suffix)) return false;
  return matchesSegments(alternative.segments, path.split('/'));
}

/**
 * Wildcard matching with one resumption point: after a mismatch only the latest wildcard has to take one more
 * element, since an earlier one taking more could match nothing that the latest cannot. Used twice, for `**` over
 * segments and for `*` over characters.
 */
function matchesSegments(segments: readonly Segment[], parts: readonly string[]): boolean {
  let s = 0;
  let p = 0;
  let resumeSegment = -1;
  let resumePart = -1;
  while (p < parts.length) {
    const segment = segments[s];
    if (segment?.is === 'deep') {
      // Last, it stands for at least one more segment, and there is one.
      if (s === segments.length - 1) return true;
      resumeSegment = ++s;
      resumePart = p;
    } else if (segment !== undefined && matchesSegment(segment, parts[p] ?? '')) {
      s++;
      p++;
    } else if (resumeSegment >= 0) {
      s = resumeSegment;
      p = ++resumePart;
    } else return false;
  }
  return s === segments.length;
}

function matchesSegment(segment: Segment, part: string): boolean {
  if (segment.is === 'literal') return segment.text === part;
  return segment.is === 'glob' && matchesTokens(segment.tokens, part);
}

function matchesTokens(tokens: readonly Token[], part: string): boolean {
  const codes = Array.from(part, (char) => char.codePointAt(0) ?? 0);
  let t = 0;
  let c = 0;
  let resumeToken = -1;
  let resumeCode = -1;
  while (c < codes.length) {
    const token = tokens[t];
    if (token?.is === 'run') {
      resumeToken = ++t;
      resumeCode = c;
    } else if (token !== undefined && takes(token, codes[c] ?? 0)) {
      t++;
      c++;
    } else if (resumeToken >= 0) {
      t = resumeToken;
      c = ++resumeCode;
    } else return false;
  }
  while (tokens[t]?.is === 'run') t++;
  return t === tokens.length;
}

function takes(token: Token, code: number): boolean {
  if (token.is === 'char') return token.code === code;
  return token.is === 'one' || (token.is === 'set' && inSet(token.set, code));
}

function inSet(set: CharSet, code: number): boolean {
  return set.ranges.some(([low, high]) => low <= code && code <= high) !== set.negated;
}
