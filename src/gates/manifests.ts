/**
 * What a package.json runs. Dependencies change in honest work every day; scripts run on every machine that installs or
 * tests the project, and are the shortest way to a check that always passes.
 */
import type { Finding } from '../model/attempt.ts';
import type { WholeFile } from './facts.ts';
import { showPath } from './show-path.ts';

/** True for a manifest that `manifestFindings` wants to read whole. */
export function isManifest(path: string): boolean {
  return /(?:^|\/)package\.json$/i.test(path);
}

/** One finding for each manifest whose scripts, hooks or test settings differ, unless `modifies` lists it literally. */
export function manifestFindings(manifests: readonly WholeFile[], modifies: readonly string[]): Finding[] {
  const listed = new Set(modifies);
  return manifests.flatMap(({ path, before, after }): Finding[] => {
    if (listed.has(path) || after === null) return [];
    const was = readRuns(before);
    const is = readRuns(after);
    if (is === null) return [changed(path, 'cannot be read as JSON, so what it runs is not known')];
    // What could not be read before told nothing: then everything it runs now is new.
    const names = differing(was ?? new Map(), is);
    if (names.length === 0) return [];
    const shown = names.slice(0, SHOWN).map((name) => showPath(name));
    const more = names.length > SHOWN ? ` and ${names.length - SHOWN} more` : '';
    return [changed(path, `changes what it runs: ${shown.join(', ')}${more}`)];
  });
}

const SHOWN = 6;
/** Keys whose values are run, or decide which tests are. */
const RUN_KEYS = [
  'husky',
  'lint-staged',
  'simple-git-hooks',
  'pre-commit',
  'jest',
  'mocha',
  'ava',
  'tap',
  'vitest',
];

/** What the manifest runs, by name; null when it is no JSON object. */
function readRuns(text: string | null): Map<string, string> | null {
  if (text === null) return new Map();
  let value: unknown;
  try {
    value = JSON.parse(text.replace(/^\ufeff/, ''));
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
  const manifest = value as Record<string, unknown>;
  const runs = new Map<string, string>();
  const { scripts } = manifest;
  if (typeof scripts === 'object' && scripts !== null) {
    for (const [name, command] of Object.entries(scripts))
      runs.set(`scripts.${name}`, JSON.stringify(command));
  }
  for (const key of RUN_KEYS) {
    if (Object.hasOwn(manifest, key)) runs.set(key, JSON.stringify(manifest[key]));
  }
  return runs;
}

function differing(was: ReadonlyMap<string, string>, is: ReadonlyMap<string, string>): string[] {
  const names = new Set([...was.keys(), ...is.keys()]);
  return [...names].filter((name) => was.get(name) !== is.get(name));
}

function changed(path: string, why: string): Finding {
  return {
    gate: 'content',
    path,
    line: null,
    message: `${showPath(path)} ${why}`,
    fix: 'Put the scripts back as they are in the base, unless a person approves it. A spec whose modifies lists this path literally needs no approval.',
    approval: true,
  };
}
