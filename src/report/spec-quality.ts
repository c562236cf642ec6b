/** How good a project's specs are, for the report. */
import type { Event } from '../model/event.ts';
import type { ProjectName } from '../model/ids.ts';
import type { State } from '../model/state.ts';
import { lint, type Rule } from '../spec/lint.ts';
import { learn, type Lesson, type Lessons, scoreOf, specTexts } from './lessons.ts';
import type { SpecQuality } from './model.ts';

const LOWEST_SHOWN = 10;

/** The scores of a project's specs as they are recorded; null when there are none. */
export function specQuality(
  state: State,
  events: readonly Event[],
  project: ProjectName,
): SpecQuality | null {
  const texts = specTexts(events, project);
  const lessons = learn(state, project, texts);
  const scored = [...texts].flatMap(([key, text]) => {
    const spec = state.tasks.get(key)?.spec;
    if (spec === undefined) return [];
    const findings = lint(spec, text, lessons.usual);
    const doubts = [...new Set(findings.map(({ code }) => doubt(code)))];
    return [{ task: spec.id, score: scoreOf(findings, lessons), doubts }];
  });
  if (scored.length === 0) return null;
  return {
    mean: Math.round(scored.reduce((sum, { score }) => sum + score, 0) / scored.length),
    of: scored.length,
    lowest: scored
      .filter(({ doubts }) => doubts.length > 0)
      .toSorted((a, b) => a.score - b.score)
      .slice(0, LOWEST_SHOWN),
    lessons: told(lessons),
  };
}

/** Lessons that say something, the most telling first. */
export function told({ byRule }: Lessons): Lesson[] {
  return [...byRule.values()].filter(({ weight }) => weight !== 1).toSorted((a, b) => b.weight - a.weight);
}

/** What the report says of them, a line each. */
export function qualityLines({ mean, of, lowest, lessons }: SpecQuality): string[] {
  return [
    `${mean} of 100 on average, ${of} spec${of === 1 ? '' : 's'}; \`dispatch lint\` says why`,
    ...lowest.map(({ task, score, doubts }) => `${score}  ${task}: ${doubts.join(', ')}`),
    ...lessons.map(lessonText),
  ];
}

/** `no tests`. */
export function doubt(rule: Rule): string {
  return rule.replace('E_LINT_', '').toLowerCase().replaceAll('_', ' ');
}

export function lessonText({ rule, with: yes, without: no }: Lesson): string {
  return `${doubt(rule)}: ${yes.failed} of ${yes.of} such specs were not good in their first round, ${no.failed} of ${no.of} of the others`;
}
