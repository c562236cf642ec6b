/** Holds a model's proposal against everything a spec is held against, alone and beside the specs that are there. */
import type { Problem } from '../model/error.ts';
import type { ProjectConfig, TaskSpec } from '../model/spec.ts';
import { compileMatcher } from '../plan/match.ts';
import { buildPlan } from '../plan/plan.ts';
import { checkProject } from '../spec/check-project.ts';
import { type ParsedSpec, parseSpec } from '../spec/parse-spec.ts';
import { shown, sortProblems } from '../spec/problem.ts';
import { emptySections, type ProposedSpec, specFile } from './answer.ts';

export interface Standing {
  readonly config: ProjectConfig;
  readonly budgetTokens: number | null;
  /** Files of the queue and of pending/, as far as they can be read. */
  readonly there: readonly ParsedSpec[];
  /** Of those, what has not merged. */
  readonly open: readonly TaskSpec[];
  readonly basePaths: ReadonlySet<string> | null;
}

export interface Judged {
  /** Specs that may be written; what they depend on is among them or there already. Dependencies first. */
  readonly good: readonly { readonly spec: TaskSpec; readonly text: string }[];
  /** Proposed and not usable, as files, so that nothing that was paid for is lost. */
  readonly bad: readonly { readonly file: string; readonly text: string }[];
  /** Of the proposed files alone; errors and warnings. */
  readonly problems: readonly Problem[];
}

/** How many specs a direction should become. */
const FEWEST = 5;
const MOST = 10;

/** Judges what was proposed. `chinese`: the language of its headings. */
export function judge(proposed: readonly ProposedSpec[], standing: Standing, chinese: boolean): Judged {
  const { config, budgetTokens, there } = standing;
  const context = { project: config.name, config, budgetTokens };
  const guarded = compileMatcher(config.protectedPaths);
  const parsed = fileNames(proposed, config.name).map(({ file, spec }) => ({
    spec,
    parsed: parseSpec(
      specFile(spec, {
        project: config.name,
        chinese,
        // A literal path in `modifies` is a person's word that a protected file may change; a model's is not.
        review: spec.modifies.some(guarded),
      }),
      file,
      context,
    ),
  }));
  const files = new Set(parsed.map(({ parsed: { file } }) => file));
  const all = [...there, ...parsed.map((one) => one.parsed)];
  const problems = [
    ...parsed.flatMap((one) => [...one.parsed.problems, ...sectionProblems(one.spec, one.parsed.file)]),
    ...checkProject(all, standing.basePaths).filter(({ file }) => files.has(file)),
  ];
  const good = usable(
    parsed.map((one) => one.parsed),
    problems,
  );
  return {
    good: good.flatMap(({ spec, text }) => (spec === null ? [] : [{ spec, text }])),
    bad: parsed.flatMap(({ parsed: { file, text }, parsed: one }) =>
      good.includes(one) ? [] : [{ file, text }],
    ),
    problems: sortProblems([
      ...problems,
      ...countProblems(parsed.length, config),
      ...overlaps(good, standing),
    ]),
  };
}

/** Whether a model can be told to do better. A path that is not there yet is right where a task makes it. */
export function worthTelling({ severity, code }: Problem): boolean {
  return severity === 'error' || code.startsWith('E_SPLIT_') || code === 'E_SPEC_VERIFY_ALWAYS_PASSES';
}

/** One file each, named by its id; an id that cannot name a file gets a number. */
function fileNames(
  proposed: readonly ProposedSpec[],
  project: string,
): { file: string; spec: ProposedSpec }[] {
  const used = new Set<string>();
  return proposed.map((spec, index) => {
    const wanted = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(spec.task_id)
      ? spec.task_id
      : `spec-${index + 1}`;
    const name = used.has(wanted.toLowerCase()) ? `${wanted}-${index + 1}` : wanted;
    used.add(name.toLowerCase());
    return { file: `specs/${project}/pending/${name}.md`, spec };
  });
}

/** Those without errors whose dependencies among the proposed are usable too, in an order in which these come first. */
function usable(parsed: readonly ParsedSpec[], problems: readonly Problem[]): ParsedSpec[] {
  const faulty = new Set(problems.flatMap(({ severity, file }) => (severity === 'error' ? file : [])));
  const proposed = new Set(parsed.flatMap(({ id }) => id?.text ?? []));
  const taken = new Set<string>();
  const order: ParsedSpec[] = [];
  for (let before = -1; before !== order.length; ) {
    before = order.length;
    for (const one of parsed) {
      if (order.includes(one) || one.spec === null || faulty.has(one.file)) continue;
      if (!one.spec.dependsOn.every((id) => !proposed.has(id) || taken.has(id))) continue;
      order.push(one);
      taken.add(one.spec.id);
    }
  }
  return order;
}

function sectionProblems(spec: ProposedSpec, file: string): Problem[] {
  // An empty acceptance is an error of its own in every spec.
  return emptySections(spec)
    .filter((section) => section !== 'acceptance')
    .map((section) => ({
      code: 'E_SPLIT_SECTION',
      severity: section === 'goal' ? 'error' : 'warning',
      file,
      line: 1,
      col: 1,
      message: `\`${section}\` is empty`,
      fix: 'say it: the agent sees nothing else',
    }));
}

function countProblems(count: number, config: ProjectConfig): Problem[] {
  if (count >= FEWEST && count <= MOST) return [];
  return [
    {
      code: 'E_SPLIT_COUNT',
      severity: 'warning',
      file: `specs/${config.name}/pending`,
      line: 1,
      col: 1,
      message: `the direction became ${count} spec${count === 1 ? '' : 's'}`,
      expected: `${FEWEST} to ${MOST}`,
      fix: count < FEWEST ? 'make each of them smaller' : 'join those that belong together',
    },
  ];
}

/** Pairs that may change the same file in no order, with at least one of the new ones in it. */
function overlaps(good: readonly ParsedSpec[], { config, open }: Standing): Problem[] {
  const specs = good.flatMap(({ spec }) => spec ?? []);
  const own = new Map<string, string>(specs.map(({ id, file }) => [id, file]));
  const { pairs } = buildPlan(config, [...open, ...specs]).conflicts;
  return pairs.flatMap(({ a, b, path }): Problem[] => {
    const file = own.get(b) ?? own.get(a);
    if (file === undefined) return [];
    const [mine, other] = own.has(b) ? [b, a] : [a, b];
    return [
      {
        code: 'E_SPLIT_OVERLAP',
        severity: 'warning',
        file,
        line: 1,
        col: 1,
        message: `${mine} and ${other} may both change ${shown(path)}, and neither waits for the other`,
        fix: `take the path from one of them, or let ${mine} depend on ${other}`,
      },
    ];
  });
}
