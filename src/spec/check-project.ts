/** What only shows when all specs of a project lie side by side: ids, dependencies, cycles, and paths that exist nowhere. */
import type { Problem } from '../model/error.ts';
import { findCycles } from '../plan/cycles.ts';
import { type Alternative, compilePattern, patternProblem } from '../plan/pattern.ts';
import { nearest } from './nearest.ts';
import type { ParsedSpec, Placed } from './parse-spec.ts';
import { PathTree } from './path-tree.ts';
import { type Position, shown } from './problem.ts';

/** How many misspelt words get a suggestion: each costs a walk over all candidates, and nobody reads hundreds. */
const SUGGESTIONS = 200;

/**
 * Problems between the files of one project. `basePaths` are the files of the commit that tasks start from; null when
 * they are not known, and then paths are not held against them.
 */
export function checkProject(specs: readonly ParsedSpec[], basePaths: ReadonlySet<string> | null): Problem[] {
  return [
    ...idProblems(specs),
    ...dependencyProblems(specs),
    ...cycleProblems(specs),
    ...(basePaths === null || basePaths.size === 0 ? [] : pathProblems(specs, basePaths)),
  ];
}

function idProblems(specs: readonly ParsedSpec[]): Problem[] {
  const first = new Map<string, { id: string; file: string }>();
  return specs.flatMap(({ id, file }): Problem[] => {
    if (id === null) return [];
    const twin = first.get(id.text.toLowerCase());
    if (twin === undefined) {
      first.set(id.text.toLowerCase(), { id: id.text, file });
      return [];
    }
    const same = twin.id === id.text;
    return [
      {
        code: same ? 'E_SPEC_DUPLICATE_ID' : 'E_SPEC_CASE_TWIN',
        severity: 'error',
        file,
        ...id.at,
        message: same
          ? `the id ${shown(id.text)} is taken by ${twin.file}`
          : `the id ${shown(id.text)} differs only by case from ${shown(twin.id)} in ${twin.file}`,
        fix: 'give one of the two another id',
      },
    ];
  });
}

function dependencyProblems(specs: readonly ParsedSpec[]): Problem[] {
  const ids = new Set(specs.flatMap(({ id }) => (id === null ? [] : [id.text])));
  let suggestions = SUGGESTIONS;
  return specs.flatMap(({ file, dependsOn }) => {
    const seen = new Set<string>();
    return dependsOn.flatMap(({ text, at }): Problem[] => {
      const place = { file, ...at };
      if (seen.has(text)) {
        return [
          {
            code: 'E_SPEC_DUPLICATE_DEPENDENCY',
            severity: 'warning',
            ...place,
            message: `${shown(text)} is listed twice`,
            fix: 'remove one',
          },
        ];
      }
      seen.add(text);
      if (ids.has(text)) return [];
      const near = suggestions-- > 0 ? nearest(text, ids) : null;
      return [
        {
          code: 'E_SPEC_UNKNOWN_DEPENDENCY',
          severity: 'error',
          ...place,
          message: `no spec has the id ${shown(text)}`,
          expected: 'the task_id of another spec of this project',
          got: text,
          fix: near === null ? 'write that spec, or remove the dependency' : `did you mean "${near}"?`,
        },
      ];
    });
  });
}

function cycleProblems(specs: readonly ParsedSpec[]): Problem[] {
  const byId = new Map<string, ParsedSpec>();
  for (const spec of specs) if (spec.id !== null && !byId.has(spec.id.text)) byId.set(spec.id.text, spec);
  const graph = new Map(Array.from(byId, ([id, { dependsOn }]) => [id, dependsOn.map(({ text }) => text)]));
  return findCycles(graph).map((cycle): Problem => {
    const [id = '', next = id] = cycle;
    const spec = byId.get(id);
    const at: Position = spec?.dependsOn.find(({ text }) => text === next)?.at ?? { line: 1, col: 1 };
    return {
      code: 'E_SPEC_CYCLE',
      severity: 'error',
      file: spec?.file ?? '',
      ...at,
      message:
        cycle.length === 1
          ? `the task waits for itself: ${id} -> ${id}`
          : `the tasks wait for each other: ${[...cycle, id].join(' -> ')}`,
      fix:
        cycle.length === 1
          ? 'remove the dependency'
          : `remove one of these dependencies, for example ${shown(next)} here`,
    };
  });
}

function pathProblems(specs: readonly ParsedSpec[], basePaths: ReadonlySet<string>): Problem[] {
  const base = new PathTree(basePaths);
  const declared = declaredBy(specs);
  let suggestions = SUGGESTIONS;
  return specs.flatMap((spec) =>
    [...spec.modifies, ...spec.expands].flatMap((placed): Problem[] => {
      if (patternProblem(placed.text) !== null) return [];
      if (base.hasFolder(placed.text)) return [folderProblem(spec.file, placed)];
      const elsewhere = (path: string): boolean => declared.has(path) && declared.get(path) !== spec;
      const missing = compilePattern(placed.text)
        .exact.map(needed)
        .find(({ path, folder }) => {
          const known =
            folder === '' ||
            base.hasFolder(folder) ||
            elsewhere(folder) ||
            elsewhere(path) ||
            basePaths.has(path);
          return !known;
        });
      if (missing === undefined) return [];
      const near = suggestions-- > 0 ? base.nearest(missing.path) : null;
      return [
        {
          code: 'E_SPEC_UNKNOWN_PATH',
          severity: 'warning',
          file: spec.file,
          ...placed.at,
          message: `neither the repository nor another spec has ${shown(missing.path)} or its folder`,
          got: placed.text,
          fix:
            near === null
              ? 'right if the task creates the folder'
              : `did you mean "${near}"? It is right as it is if the task creates the folder`,
        },
      ];
    }),
  );
}

/** A literal path and its folder; of a glob the folder above its first wildcard, which has to exist as a whole. */
function needed({ path, folder }: Alternative): { path: string; folder: string } {
  const above = folder.join('/');
  return { path: path ?? above, folder: above };
}

/** Which spec names a path, or a folder on the way to one; null stands for several. */
function declaredBy(specs: readonly ParsedSpec[]): Map<string, ParsedSpec | null> {
  const declared = new Map<string, ParsedSpec | null>();
  for (const spec of specs) {
    for (const { text } of [...spec.modifies, ...spec.expands]) {
      if (patternProblem(text) !== null) continue;
      for (const { path, folder } of compilePattern(text).exact) {
        const names = folder.map((_, depth) => folder.slice(0, depth + 1).join('/'));
        for (const name of path === null ? names : [...names, path]) {
          const known = declared.get(name);
          declared.set(name, known === undefined || known === spec ? spec : null);
        }
      }
    }
  }
  return declared;
}

function folderProblem(file: string, { text, at }: Placed): Problem {
  return {
    code: 'E_SPEC_MODIFIES_FOLDER',
    severity: 'error',
    file,
    ...at,
    message: `${shown(text)} is a folder, and without a trailing slash means a file of that name`,
    expected: 'a file, a glob, or a folder with a trailing slash',
    got: text,
    fix: `write "${text}/" for everything below it`,
  };
}
