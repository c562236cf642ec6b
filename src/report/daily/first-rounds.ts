import type { Attempt } from '../../model/attempt.ts';
import type { TaskSpec } from '../../model/spec.ts';
import type { State } from '../../model/state.ts';
import { isTestPath } from '../../gates/test-path.ts';
import { isJudged, wasGoodAtOnce } from '../advice.ts';
import type { KindRate, Measures, SpecKind } from './model.ts';

/** Of first attempts that came to an end on their own account, how many were good in their first round. */
export function firstRounds(ended: readonly Attempt[]): Measures['firstRound'] {
  const judged = firstOf(ended);
  return { passed: judged.filter(wasGoodAtOnce).length, of: judged.length };
}

/** The same by kind of spec, those that fail most first. Specs are taken as they are now. */
export function kindRates(ended: readonly Attempt[], state: State): KindRate[] {
  const rates = new Map<string, { kind: SpecKind; passed: number; of: number }>();
  for (const attempt of firstOf(ended)) {
    const spec = state.tasks.get(attempt.task)?.spec;
    if (spec === undefined) continue;
    for (const kind of kindsOf(spec)) {
      const name = JSON.stringify(kind);
      const rate = rates.get(name) ?? { kind, passed: 0, of: 0 };
      rates.set(name, rate);
      rate.of += 1;
      if (wasGoodAtOnce(attempt)) rate.passed += 1;
    }
  }
  return [...rates.values()].toSorted((a, b) => a.passed / a.of - b.passed / b.of || b.of - a.of);
}

function firstOf(ended: readonly Attempt[]): Attempt[] {
  return ended.filter((attempt) => attempt.n === 1 && isJudged(attempt));
}

const FEW = 4;

function kindsOf({ executor, modifies, dependsOn }: TaskSpec): SpecKind[] {
  return [
    { by: 'executor', executor },
    { by: 'width', width: widthOf(modifies) },
    { by: 'tests', tests: modifies.some(isTestPath) },
    { by: 'depends', depends: dependsOn.length > 0 },
  ];
}

function widthOf(modifies: readonly string[]): Extract<SpecKind, { by: 'width' }>['width'] {
  if (modifies.length === 0) return 'none';
  if (modifies.some((pattern) => pattern.endsWith('/') || pattern.includes('*'))) return 'folder';
  if (modifies.length === 1) return 'one';
  return modifies.length <= FEW ? 'few' : 'many';
}
