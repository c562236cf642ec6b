import type { ProjectConfig, TaskSpec } from '../model/spec.ts';
import { alternativesMeet } from './overlap.ts';
import { compilePattern, type Pattern } from './pattern.ts';

/**
 * What a task locks: its `modifies` and `expands`, and whole every shared place that it can touch. Two tasks never run at the same
 * time when these meet.
 *
 * A shared entry is one lock: `migrations/**` serialises two tasks that add different migrations, whose numbers would
 * clash. Literal entries in the same folder are one lock together: who touches package.json changes package-lock.json
 * too, declared or not. A task that can touch no shared path locks none of them; the scope gate keeps it out of there.
 */
export function lockPatterns(spec: TaskSpec, config: ProjectConfig): readonly string[] {
  const { modifies, expands } = spec;
  if (expands.length === 0 && (config.sharedPaths.length === 0 || modifies.length === 0)) return modifies;
  const known = remembered.get(spec);
  if (known?.config === config) return known.patterns;
  const claimed = [...modifies, ...expands];
  const own = claimed.map(compilePattern);
  const shared = sharedPlaces(config.sharedPaths).filter((place) =>
    place.some((entry) => own.some((pattern) => patternsMeet(pattern, entry))),
  );
  const patterns = [...new Set([...claimed, ...shared.flat().map(({ source }) => source)])];
  remembered.set(spec, { config, patterns });
  return patterns;
}

// The scheduler asks for the same specs over and over; the answer is a function of the two values alone.
const remembered = new WeakMap<TaskSpec, { config: ProjectConfig; patterns: readonly string[] }>();

/** Entries that lock together: literal files of one folder; a glob alone. */
function sharedPlaces(entries: readonly string[]): Pattern[][] {
  const places = new Map<string, Pattern[]>();
  for (const entry of entries) {
    const pattern = compilePattern(entry);
    const [only, more] = pattern.folded;
    const isFile = only !== undefined && only.path !== null && more === undefined;
    const place = isFile ? `folder ${only.folder.join('/')}` : `glob ${entry}`;
    places.set(place, [...(places.get(place) ?? []), pattern]);
  }
  return [...places.values()];
}

function patternsMeet(a: Pattern, b: Pattern): boolean {
  return a.folded.some((one) => b.folded.some((other) => alternativesMeet(one, other)));
}
