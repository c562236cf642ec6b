/** Scores specs before they run: what in them is likely to fail, by rule and by what has failed here before. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isPendingSpec, PENDING } from '../../feed/names.ts';
import { DispatchError } from '../../model/error.ts';
import { EXIT, type ExitCode } from '../../model/exit.ts';
import { type ProjectName, taskKey } from '../../model/ids.ts';
import { emptyState } from '../../model/state.ts';
import type { TaskSpec } from '../../model/spec.ts';
import { learn, type Lessons, scoreOf, specTexts } from '../../report/lessons.ts';
import { doubt, lessonText, told } from '../../report/spec-quality.ts';
import { lint as lintSpec, type LintFinding } from '../../spec/lint.ts';
import { readProject, readSpecs } from '../../spec/load.ts';
import type { Context } from '../context.ts';
import { problemsText } from '../problems.ts';
import { safeLine } from '../render/safe-text.ts';
import { viewOrNull } from '../view.ts';

export interface LintOptions {
  readonly least?: string;
}

interface Row {
  readonly spec: TaskSpec;
  readonly score: number;
  readonly findings: readonly LintFinding[];
}

/** @throws DispatchError when there is no such project. Specs with errors are left to `validate`. */
export async function lint(context: Context, project: string, options: LintOptions): Promise<ExitCode> {
  const { output } = context;
  const least = leastOf(options);
  const home = context.home();
  const read = await readProject(home, project);
  if ('problem' in read) {
    const { code, message, fix } = read.problem;
    throw new DispatchError(code, message, fix === undefined ? {} : { fix });
  }
  const names = await readdir(join(home, 'specs', project, PENDING)).catch((): string[] => []);
  const files = names.filter(isPendingSpec).map((name) => `specs/${project}/${PENDING}/${name}`);
  const parsed = [...read.queue, ...(await readSpecs(home, files.sort(), read))];
  const { lessons, over } = await history(context, read.name);
  const rows = parsed
    .flatMap(({ spec, text }): Row[] => {
      if (spec === null || over.has(taskKey(spec.project, spec.id))) return [];
      const findings = lintSpec(spec, text, lessons.usual);
      return [{ spec, findings, score: scoreOf(findings, lessons) }];
    })
    .toSorted((a, b) => a.score - b.score);
  output.list<Row>({
    kind: 'LintList',
    rows,
    name: ({ spec }) => spec.id,
    json: ({ spec, score, findings }) => ({ task: spec.id, file: spec.file, score, findings }),
    columns: [
      { title: 'score', value: ({ score }) => String(score) },
      { title: 'task', value: ({ spec }) => spec.id },
      {
        title: 'doubts',
        value: ({ findings }) => [...new Set(findings.map(({ code }) => doubt(code)))].join(', ') || '-',
      },
      { title: 'title', value: ({ spec }) => safeLine(spec.title) },
    ],
    meta: { learntFrom: lessons.of, lessons: [...lessons.byRule.values()] },
    empty: 'no spec is left to run',
  });
  if (!output.machine && output.format !== 'name') {
    const all = rows.flatMap(({ findings }) => findings);
    if (all.length > 0) output.write(`\n${await problemsText(home, all, output.paint)}`);
    for (const lesson of told(lessons)) output.line(lessonText(lesson));
  }
  return rows.some(({ score }) => score < least) ? EXIT.unfinished : EXIT.ok;
}

function leastOf({ least }: LintOptions): number {
  const number = least === undefined ? 0 : Number(least);
  if (Number.isInteger(number) && number >= 0 && number <= 100) return number;
  throw new DispatchError('E_USAGE', `${JSON.stringify(least)} is not a score`, {
    fix: '--least 60: from 0 to 100',
  });
}

/** What has run here so far, and which tasks need no more advice. */
async function history(
  context: Context,
  project: ProjectName,
): Promise<{ lessons: Lessons; over: ReadonlySet<string> }> {
  const known = await viewOrNull(context, async (view) => {
    const { state } = view;
    const merged = [...state.tasks.values()].filter(({ progress }) => progress.at === 'merged');
    const lessons = learn(state, project, specTexts(await view.allEvents(), project));
    return { lessons, over: new Set<string>(merged.map(({ key }) => key)) };
  });
  return known ?? { lessons: learn(emptyState(), project, new Map()), over: new Set() };
}
