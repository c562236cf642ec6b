/**
 * Which of many pattern lists can touch the same path as a given one? A trie by folder: literal paths sit at their own
 * node, patterns with wildcards at the folder above their first wildcard. A question walks down its own literal folder
 * and looks only at what hangs along that way and below its end, so thousands of tasks in different folders cost a
 * few steps each; only a wildcard near the top has to look at everything under it.
 *
 * Equal patterns share one entry, so a lockfile named by every task is compared once and not once per task.
 */
import { matchesAlternative } from './match.ts';
import { alternativesMeet, overlap } from './overlap.ts';
import { type Alternative, compilePattern } from './pattern.ts';

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
      for (const alternative of compilePattern(pattern).folded) insert(this.#root, alternative, pattern, key);
    }
  }

  /** Forgets the key and all its patterns; a key that is not there is no mistake. */
  remove(key: K): void {
    for (const pattern of this.#patterns.get(key) ?? []) {
      for (const alternative of compilePattern(pattern).folded)
        withdraw(this.#root, alternative, pattern, key);
    }
    this.#patterns.delete(key);
  }

  /** Some key other than `except` whose patterns meet these, with a path both can touch; null when there is none. */
  meeting(patterns: readonly string[], except?: K): Meeting<K> | null {
    for (const found of this.#search(patterns)) {
      for (const key of found.entry.keys) {
        if (key !== except)
          return { key, path: overlap(found.pattern, found.entry.pattern) ?? found.pattern };
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
  /** Patterns whose literal folder ends here, by what is unique about them. */
  readonly globs: Map<string, Entry<K>>;
}

function newNode<K>(): Node<K> {
  return { below: new Map(), paths: new Map(), globs: new Map() };
}

function insert<K>(root: Node<K>, alternative: Alternative, pattern: string, key: K): void {
  let node = root;
  for (const name of steps(alternative)) {
    let next = node.below.get(name);
    if (next === undefined) node.below.set(name, (next = newNode()));
    node = next;
  }
  const entries = alternative.path === null ? node.globs : node.paths;
  const id = entryId(alternative, pattern);
  const entry = entries.get(id);
  if (entry === undefined) entries.set(id, { pattern, alternative, keys: new Set([key]) });
  else entry.keys.add(key);
}

function withdraw<K>(root: Node<K>, alternative: Alternative, pattern: string, key: K): void {
  const way: { node: Node<K>; name: string }[] = [];
  let node = root;
  for (const name of steps(alternative)) {
    const next = node.below.get(name);
    if (next === undefined) return;
    way.push({ node, name });
    node = next;
  }
  const entries = alternative.path === null ? node.globs : node.paths;
  const id = entryId(alternative, pattern);
  const entry = entries.get(id);
  entry?.keys.delete(key);
  if (entry?.keys.size === 0) entries.delete(id);
  // Empty branches go, or an index that lives for months would remember every folder it ever saw.
  for (const { node: above, name } of way.toReversed()) {
    const child = above.below.get(name);
    if (child === undefined || child.below.size + child.paths.size + child.globs.size > 0) return;
    above.below.delete(name);
  }
}

/** One pattern has one alternative per prefix and suffix at a node at most twice, but the segments tell them all apart. */
function entryId(alternative: Alternative, pattern: string): string {
  return alternative.path === null ? `${pattern}\n${JSON.stringify(alternative.segments)}` : pattern;
}

function steps(alternative: Alternative): readonly string[] {
  return alternative.path === null ? alternative.folder : alternative.path.split('/');
}

function* meetingEntries<K>(root: Node<K>, alternative: Alternative): Generator<Entry<K>> {
  let node: Node<K> = root;
  yield* meetingGlobs(node, alternative);
  for (const name of steps(alternative)) {
    const next = node.below.get(name);
    if (next === undefined) return;
    node = next;
    yield* meetingGlobs(node, alternative);
  }
  if (alternative.path !== null) yield* node.paths.values();
  else yield* meetingBelow(node, alternative);
}

function* meetingGlobs<K>(node: Node<K>, alternative: Alternative): Generator<Entry<K>> {
  for (const entry of node.globs.values()) {
    if (alternativesMeet(entry.alternative, alternative)) yield entry;
  }
}

/** Everything strictly below a folder that meets the pattern, in the order it was added per node. */
function* meetingBelow<K>(top: Node<K>, alternative: Alternative): Generator<Entry<K>> {
  const open = [...top.below.values()];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    for (const entry of node.paths.values()) {
      if (matchesAlternative(alternative, entry.alternative.path ?? '')) yield entry;
    }
    yield* meetingGlobs(node, alternative);
    for (const next of node.below.values()) open.push(next);
  }
}
