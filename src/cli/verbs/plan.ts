import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { DispatchError } from '../../model/error.ts';
import { EXIT, type ExitCode } from '../../model/exit.ts';
import type { ProjectConfig, TaskSpec } from '../../model/spec.ts';
import { formatDuration } from '../../model/time.ts';
import { planMarkdown, riskText } from '../../plan/markdown.ts';
import { buildPlan, type Plan } from '../../plan/plan.ts';
import { loadProject } from '../../spec/load.ts';
import type { Context } from '../context.ts';
import { writeFullPlan } from '../full-plan.ts';
import { problemCounts, problemsText } from '../problems.ts';
import { safeLine, safeText } from '../render/safe-text.ts';

export interface PlanOptions {
  /** Markdown goes there. */
  readonly out?: string;
  /** The project's plan goes to its PLAN.md. */
  readonly full?: boolean;
}

/** What would run when, what holds what up, and what in it is risky. Starts nothing. */
export async function plan(context: Context, project: string, options: PlanOptions): Promise<ExitCode> {
  const { output, environment, settings } = context;
  const { config, specs } = await loadValid(context, project);
  const built = buildPlan(config, specs);
  if (options.full === true) return writeFullPlan(context, config, built);
  const file = options.out === undefined ? settings.file : resolve(environment.cwd, options.out);
  if (file !== null) {
    await writeFile(file, planMarkdown(built));
    output.note(`wrote ${file}`);
    if (!output.machine) return EXIT.ok;
  }
  if (output.format === 'json') output.envelope('Plan', planJson(built));
  else if (output.format === 'ndjson') for (const wave of built.waves) output.event('Wave', wave);
  else if (output.format === 'name')
    for (const { tasks } of built.waves) for (const id of tasks) output.line(id);
  else if (!output.terminal.tty) output.write(safeText(planMarkdown(built)));
  else showPlan(context, built);
  return EXIT.ok;
}

async function loadValid(
  context: Context,
  name: string,
): Promise<{ config: ProjectConfig; specs: TaskSpec[] }> {
  const home = context.home();
  const { config, specs, problems } = await loadProject(home, name);
  const errors = problems.filter(({ severity }) => severity === 'error');
  const [first] = errors;
  if (first === undefined && config !== null) return { config, specs: specs.map(({ spec }) => spec) };
  const text = await problemsText(home, errors, context.output.notePaint);
  throw new DispatchError(
    first?.code ?? 'E_NOT_FOUND',
    `${name} cannot be planned: ${problemCounts(errors)}`,
    {
      where: home,
      why: text,
      fix: `dispatch validate ${name}`,
    },
  );
}

/** Maps become objects; the specs themselves are on disk. */
export function planJson({ specs, chainMs, conflicts, ...plan }: Plan): unknown {
  return {
    ...plan,
    tasks: specs.size,
    chainMs: Object.fromEntries(chainMs),
    conflicts: { ...conflicts, perTask: Object.fromEntries(conflicts.perTask) },
  };
}

/** Pairs of tasks that exclude each other, shown on a terminal; the Markdown has all. */
const PAIRS_SHOWN = 10;

export function showPlan({ output }: Context, built: Plan): void {
  const { paint } = output;
  const { waves, critical, conflicts, widest, workMs, specs, risks } = built;
  output.line(
    `${paint.bold(built.project)}: ${specs.size} tasks in ${waves.length} waves, ${formatDuration(workMs)} of work, at best ${formatDuration(critical.ms)}, ${widest.tasks.length} at once\n`,
  );
  const atOnce = new Set(waves.flatMap(({ together }) => together));
  const onPath = new Set(critical.tasks);
  output.write(
    output.table({
      rows: waves.flatMap(({ number, tasks }) => tasks.map((id) => ({ number, spec: specs.get(id) }))),
      columns: [
        { title: 'wave', value: ({ number }) => String(number) },
        {
          title: 'task',
          value: ({ spec }) => spec?.id ?? '',
          paint: (one, { spec }) => (spec !== undefined && onPath.has(spec.id) ? one.bold : String),
        },
        { title: 'pri', value: ({ spec }) => `P${spec?.priority ?? '?'}` },
        {
          title: 'takes',
          value: ({ spec }) => (spec?.estimateMs == null ? '?' : formatDuration(spec.estimateMs)),
        },
        {
          title: 'locks',
          value: ({ spec }) => (spec !== undefined && !atOnce.has(spec.id) ? 'takes turns' : ''),
        },
        { title: 'waits for', value: ({ spec }) => spec?.dependsOn.join(', ') || '-' },
        { title: 'title', value: ({ spec }) => spec?.title ?? '' },
      ],
    }),
  );
  output.line(`\n${paint.bold('critical path')}  ${critical.tasks.join(' → ')}`);
  for (const { a, b, path } of conflicts.pairs.slice(0, PAIRS_SHOWN)) {
    output.line(`${paint.yellow('takes turns')}    ${a} and ${b}, because of ${safeLine(path)}`);
  }
  if (conflicts.count > PAIRS_SHOWN)
    output.line(paint.dim(`  and ${conflicts.count - PAIRS_SHOWN} more pairs`));
  for (const risk of risks)
    output.line(`${paint.yellow('risk')}           ${safeLine(riskText(risk).replaceAll('`', ''))}`);
}
