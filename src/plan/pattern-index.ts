/**
 * Which of many pattern lists can touch the same path as a given one? A trie by folder: literal paths sit at their own
 * node, patterns with wildcards at the folder above their first wildcard. A question walks down its own literal folder
 * and looks only at what hangs along that way and below its end, so thousands of tasks in different folders cost a
 * few steps each; only a wildcard near the top has to look at everything under it.
 *
 * At a folder, patterns are told apart once more by how their last name begins, or else how it ends: of ten thousand
 * like `test/**\/s1-*.ts`, a question looks at the one or two that can meet it.
 *
 * Equal patterns share one entry, so a lockfile named by every task is compared once and not once per task.
 */
import { matchesAlternative } from './match.ts';
import { alternativesMeet, overlap } from './overlap.ts';
import { type Alternative, compilePattern } from './pattern.ts';
import { WordIndex } from './word-index.ts';

export interface Meeting<K> {
  readonly key: K;
  /** A path that both can touch. */
  readonly path: string;
}

export class PatternIndex<K> {
  readonly #root: Node<K> = newNode();
  readonly #patterns = new Map<K, Set<string>>();

  /** Number of keys. */
  get size(): number {
    return this.#patterns.size;
  }

  has(key: K): boolean {
    return this.#patterns.has(key);
  }

  /** Adds the patterns to what the key holds already. */
  add(key: K, patterns: readonly string[]): void {
    const held = this.#patterns.get(key) ?? new Set();
    this.#patterns.set(key, held);
    for (const pattern of patterns) {
      if (held.has(pattern)) continue;
      held.add(pattern);
      for (const place of placesOf(pattern)) insert(this.#root, place, key);
    }
  }

  /** Forgets the key and all its patterns; a key that is not there is no mistake. */
  remove(key: K): void {
    for (const pattern of this.#patterns.get(key) ?? []) {
      for (const place of placesOf(pattern)) withdraw(this.#root, place, key);
    }
    this.#patterns.delete(key);
  }

  /** Some key other than `except` whose patterns meet these, with a path both can touch; null when there is none. */
  meeting(patterns: readonly string[], except?: K): Meeting<K> | null {
    for (const { entry, pattern } of this.#search(patterns)) {
      for (const key of entry.keys) {
        if (key !== except) return { key, path: overlap(pattern, entry.pattern) ?? pattern };
      }
    }
    return null;
  }

  /** Every key other than `except` whose patterns meet these, once each, with one path both can touch. */
  allMeeting(patterns: readonly string[], except?: K): Meeting<K>[] {
    const found = new Map<K, string>();
    for (const { entry, pattern } of this.#search(patterns)) {
      let path: string | undefined;
      for (const key of entry.keys) {
        if (key === except || found.has(key)) continue;
        path ??= overlap(pattern, entry.pattern) ?? pattern;
        found.set(key, path);
      }
    }
    return Array.from(found, ([key, path]) => ({ key, path }));
  }

  *#search(patterns: readonly string[]): Generator<{ entry: Entry<K>; pattern: string }> {
    for (const pattern of patterns) {
      for (const alternative of compilePattern(pattern).folded) {
        for (const entry of meetingEntries(this.#root, alternative)) yield { entry, pattern };
      }
    }
  }
}

/** One alternative of a pattern, on its way into the index or out of it. */
interface Place {
  readonly pattern: string;
  readonly alternative: Alternative;
  /** Tells the alternatives of all patterns apart. */
  readonly id: string;
}

function placesOf(pattern: string): Place[] {
  return compilePattern(pattern).folded.map((alternative, index) => ({
    pattern,
    alternative,
    id: `${index} ${pattern}`,
  }));
}

interface Entry<K> {
  /** As it was written. */
  readonly pattern: string;
  readonly alternative: Alternative;
  readonly keys: Set<K>;
}

interface Node<K> {
  readonly below: Map<string, Node<K>>;
  /** The literal path that ends here, by the patterns it was written as. */
  readonly paths: Map<string, Entry<K>>;
  /** Patterns whose literal folder ends here; most nodes have none. */
  globs: Globs<K> | null;
}

interface Globs<K> {
  /** By the characters with which the last name begins, where it begins with any. */
  readonly byStart: WordIndex<Entry<K>>;
  /** The others, by the reversed characters with which the path ends, if any. */
  readonly byEnd: WordIndex<Entry<K>>;
}

function newNode<K>(): Node<K> {
  return { below: new Map(), paths: new Map(), globs: null };
}

function insert<K>(root: Node<K>, { alternative, pattern, id }: Place, key: K): void {
  let node = root;
  for (const name of steps(alternative)) {
    let next = node.below.get(name);
    if (next === undefined) node.below.set(name, (next = newNode()));
    node = next;
  }
  if (alternative.path === null) {
    node.globs ??= { byStart: new WordIndex(), byEnd: new WordIndex() };
    const { words, word } = shelf(node.globs, alternative);
    const entry = words.get(word, id);
    if (entry === undefined) words.set(word, id, { pattern, alternative, keys: new Set([key]) });
    else entry.keys.add(key);
  } else {
    const entry = node.paths.get(id);
    if (entry === undefined) node.paths.set(id, { pattern, alternative, keys: new Set([key]) });
    else entry.keys.add(key);
  }
}

function withdraw<K>(root: Node<K>, { alternative, id }: Place, key: K): void {
  const way: { above: Node<K>; name: string; node: Node<K> }[] = [];
  let node = root;
  for (const name of steps(alternative)) {
    const next = node.below.get(name);
    if (next === undefined) return;
    way.push({ above: node, name, node: next });
    node = next;
  }
  if (alternative.path !== null) {
    const entry = node.paths.get(id);
    entry?.keys.delete(key);
    if (entry?.keys.size === 0) node.paths.delete(id);
  } else if (node.globs !== null) {
    const { words, word } = shelf(node.globs, alternative);
    const entry = words.get(word, id);
    entry?.keys.delete(key);
    if (entry?.keys.size === 0) words.delete(word, id);
    if (node.globs.byStart.size + node.globs.byEnd.size === 0) node.globs = null;
  }
  // Empty branches go, or an index that lives for months would remember every folder it ever saw.
  for (const step of way.toReversed()) {
    if (step.node.below.size + step.node.paths.size > 0 || step.node.globs !== null) return;
    step.above.below.delete(step.name);
  }
}

function steps(alternative: Alternative): readonly string[] {
  return alternative.path === null ? alternative.folder : alternative.path.split('/');
}

function shelf<K>(globs: Globs<K>, alternative: Alternative): { words: WordIndex<Entry<K>>; word: string } {
  const { start, end } = lastName(alternative);
  return start === '' ? { words: globs.byEnd, word: end } : { words: globs.byStart, word: start };
}

/** How the last name of every matching path begins, and reversed, how it ends. */
function lastName({ segments, path, suffix }: Alternative): { start: string; end: string } {
  const last = segments.at(-1);
  const name = path === null ? suffix : path.slice(path.lastIndexOf('/') + 1);
  const end = Array.from(name).toReversed().join('');
  if (last?.is === 'literal') return { start: last.text, end };
  let start = '';
  for (const token of last?.is === 'glob' ? last.tokens : []) {
    if (token.is !== 'char') break;
    start += String.fromCodePoint(token.code);
  }
  return { start, end };
}

function* meetingEntries<K>(root: Node<K>, alternative: Alternative): Generator<Entry<K>> {
  const name = lastName(alternative);
  let node: Node<K> = root;
  yield* meetingGlobs(node, alternative, name);
  for (const step of steps(alternative)) {
    const next = node.below.get(step);
    if (next === undefined) return;
    node = next;
    yield* meetingGlobs(node, alternative, name);
  }
  if (alternative.path !== null) yield* node.paths.values();
  else yield* meetingBelow(node, alternative, name);
}

type LastName = ReturnType<typeof lastName>;

function* meetingGlobs<K>(
  { globs }: Node<K>,
  alternative: Alternative,
  { start, end }: LastName,
): Generator<Entry<K>> {
  if (globs === null) return;
  for (const entry of globs.byStart.compatible(start)) {
    if (alternativesMeet(entry.alternative, alternative)) yield entry;
  }
  for (const entry of globs.byEnd.compatible(end)) {
    if (alternativesMeet(entry.alternative, alternative)) yield entry;
  }
}

/** Everything strictly below a folder that meets the pattern. */
function* meetingBelow<K>(top: Node<K>, alternative: Alternative, name: LastName): Generator<Entry<K>> {
  const open = [...top.below.values()];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    for (const entry of node.paths.values()) {
      if (matchesAlternative(alternative, entry.alternative.path ?? '')) yield entry;
    }
    yield* meetingGlobs(node, alternative, name);
    for (const next of node.below.values()) open.push(next);
  }
}
