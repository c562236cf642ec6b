/**
 * What a project's own history says about its specs: which kinds were not good in their first round, and how long specs
 * of each size took. Only first attempts that ended on their own account count; a node that went away says nothing
 * about a spec.
 */
import type { Attempt } from '../model/attempt.ts';
import type { Event } from '../model/event.ts';
import { type ProjectName, taskKey, type TaskKey } from '../model/ids.ts';
import type { State } from '../model/state.ts';
import { isJudged, wasGoodAtOnce } from './advice.ts';
import { spentOn } from './attempts.ts';
import { lint, type LintFinding, type Rule, RULES, type SizeClass, SIZES, sizeOf } from '../spec/lint.ts';

export interface Tally {
  readonly failed: number;
  readonly of: number;
}

/** How specs with a finding fared, beside those without it. */
export interface Lesson {
  readonly rule: Rule;
  readonly with: Tally;
  readonly without: Tally;
  /** By how much more often they failed, 0.5 to 2; 1 while there is too little to go by. */
  readonly weight: number;
}

export interface Lessons {
  readonly byRule: ReadonlyMap<Rule, Lesson>;
  /** First attempts that count. */
  readonly of: number;
  /** Median span of an attempt of this size, milliseconds; null: too few. */
  usual(size: SizeClass): { readonly ms: number; readonly of: number } | null;
}

/** Fewer on either side say nothing. */
const LEAST = 5;

/** What is learnt from all first attempts of a project. `texts`: its specs as they are recorded. */
export function learn(state: State, project: ProjectName, texts: ReadonlyMap<TaskKey, string>): Lessons {
  const rows = firstAttempts(state, project).flatMap((attempt) => {
    const spec = state.tasks.get(attempt.task)?.spec;
    const text = texts.get(attempt.task);
    if (spec === undefined || text === undefined) return [];
    const rules = new Set(lint(spec, text).map(({ code }) => code));
    const ms = spentOn(attempt, attempt.claimedAt);
    return [{ rules, failed: !wasGoodAtOnce(attempt), size: sizeOf(spec, text), ms }];
  });
  const tally = (some: typeof rows): Tally => ({
    failed: some.filter(({ failed }) => failed).length,
    of: some.length,
  });
  const lessons = RULES.map((rule): [Rule, Lesson] => {
    const yes = tally(rows.filter(({ rules }) => rules.has(rule)));
    const no = tally(rows.filter(({ rules }) => !rules.has(rule)));
    return [rule, { rule, with: yes, without: no, weight: weightOf(yes, no) }];
  });
  const usual = new Map(
    SIZES.map((size) => [size, middleOf(rows.flatMap((row) => (row.size === size ? row.ms : [])))]),
  );
  return {
    byRule: new Map(lessons),
    of: rows.length,
    usual: (size) => usual.get(size) ?? null,
  };
}

/** null: too few to go by. */
function middleOf(spans: readonly number[]): { ms: number; of: number } | null {
  const ms = spans.toSorted((a, b) => a - b)[Math.floor(spans.length / 2)];
  return ms === undefined || spans.length < LEAST ? null : { ms, of: spans.length };
}

/** The newest text of each task of a project, from the log. */
export function specTexts(events: readonly Event[], project: ProjectName): Map<TaskKey, string> {
  const texts = new Map<TaskKey, string>();
  for (const { fact } of events) {
    if (fact.type !== 'task.added' && fact.type !== 'task.changed') continue;
    if (fact.spec.project === project) texts.set(taskKey(project, fact.spec.id), fact.text);
  }
  return texts;
}

function firstAttempts(state: State, project: ProjectName): Attempt[] {
  return [...state.attempts.values()].filter(
    (attempt) =>
      attempt.work.kind === 'work' &&
      attempt.n === 1 &&
      attempt.task.startsWith(`${project}/`) &&
      isJudged(attempt),
  );
}

/** Shares with one failure and one success added on each side, so that a few cases do not shout. */
function weightOf(yes: Tally, no: Tally): number {
  if (yes.of < LEAST || no.of < LEAST) return 1;
  const share = ({ failed, of }: Tally): number => (failed + 1) / (of + 2);
  return Math.min(2, Math.max(0.5, share(yes) / share(no)));
}

/** Points that a finding costs before anything was learnt; of one rule the first counts whole, each further a quarter. */
const COST: Readonly<Record<Rule, number>> = {
  E_LINT_CONTRADICTION: 35,
  E_LINT_UNTESTABLE: 25,
  E_LINT_NO_TESTS: 25,
  E_LINT_WIDE: 20,
  E_LINT_LARGE: 20,
  E_LINT_NO_DONTS: 10,
};

/** 100: nothing is doubtful; 0: it will hardly pass. */
export function scoreOf(findings: readonly LintFinding[], lessons: Lessons): number {
  const counts = new Map<Rule, number>();
  for (const { code } of findings) counts.set(code, (counts.get(code) ?? 0) + 1);
  let points = 100;
  for (const [rule, count] of counts)
    points -= COST[rule] * (lessons.byRule.get(rule)?.weight ?? 1) * (1 + (count - 1) / 4);
  return Math.max(0, Math.round(points));
}
