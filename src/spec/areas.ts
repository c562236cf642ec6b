/** The areas of project.yaml: no path may lie in two of them, or a gate would not see what the branch changed. */
import type { Area } from '../model/area.ts';
import type { Problem } from '../model/error.ts';
import { overlap } from '../plan/overlap.ts';
import { shown } from './problem.ts';
import type { ProjectInput } from './schema.ts';
import type { Source } from './source.ts';

type AreasInput = NonNullable<ProjectInput['areas']>;

/** In the order in which the file has them; nothing when it has none. */
export function areasOf({ areas = {} }: ProjectInput): { areas?: readonly Area[] } {
  const list = Object.entries(areas).map(([name, { paths, verify }]): Area => ({ name, paths, verify }));
  return list.length === 0 ? {} : { areas: list };
}

/** Each pattern that can touch a path of an earlier area, at the place where it stands. */
export function areaProblems(areas: AreasInput, source: Source): Problem[] {
  const placed = Object.entries(areas).flatMap(([area, { paths }]) =>
    paths.map((pattern, index) => ({ area, pattern, index })),
  );
  return placed.flatMap(({ area, pattern, index }, place): Problem[] => {
    for (const other of placed.slice(0, place)) {
      const path = other.area === area ? null : overlap(other.pattern, pattern);
      if (path === null) continue;
      return [
        {
          code: 'E_SPEC_AREAS_OVERLAP',
          severity: 'error',
          file: source.file,
          ...source.at(['areas', area, 'paths', index]),
          message: `${shown(path)} would lie in two areas, ${area} and ${other.area}`,
          expected: `patterns that share no path with ${shown(other.pattern)}`,
          got: pattern,
          fix: 'narrow one of the two; what several areas read belongs to none of them',
        },
      ];
    }
    return [];
  });
}
