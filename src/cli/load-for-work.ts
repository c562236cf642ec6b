import { budgetRules } from '../controller/budget-rules.ts';
import { keepHeapLean } from '../controller/lean-heap.ts';
import type { BudgetRules } from '../model/budget.ts';
import { DispatchError, type Problem } from '../model/error.ts';
import type { NodeConfig, ProjectConfig, TaskSpec } from '../model/spec.ts';
import { loadHome, loadHomeConfig, loadProject } from '../spec/load.ts';
import type { Context } from './context.ts';
import { problemCounts, problemsText } from './problems.ts';

export interface Work {
  readonly nodes: readonly NodeConfig[];
  readonly budget: BudgetRules;
  readonly projects: readonly {
    readonly config: ProjectConfig;
    readonly specs: readonly { readonly spec: TaskSpec; readonly text: string }[];
  }[];
}

/**
 * Nodes and projects, all valid, before anything starts. Everything that is wrong anywhere is shown at once.
 * @throws DispatchError with the code of the first error; nothing was started.
 */
export async function loadForWork(context: Context, home: string, names: readonly string[]): Promise<Work> {
  keepHeapLean();
  const { nodes, problems } = await loadHome(home);
  const loaded = await Promise.all([...new Set(names)].map((name) => loadProject(home, name)));
  const all = [...problems, ...loaded.flatMap((project) => project.problems)];
  await refuseErrors(context, home, names, all);
  const { config: settings } = await loadHomeConfig(home);
  return {
    nodes,
    budget: budgetRules(settings),
    projects: loaded.flatMap(({ config, specs }) => (config === null ? [] : [{ config, specs }])),
  };
}

async function refuseErrors(
  { output }: Context,
  home: string,
  names: readonly string[],
  problems: readonly Problem[],
): Promise<void> {
  const errors = problems.filter(({ severity }) => severity === 'error');
  const [first] = errors;
  if (first === undefined) return;
  const text = await problemsText(home, errors, output.notePaint);
  if (errors.length === 1) {
    throw new DispatchError(first.code, first.message, {
      where: `${first.file}:${first.line}:${first.col}`,
      ...(first.expected === undefined ? {} : { why: `expected ${first.expected}` }),
      ...(first.fix === undefined ? {} : { fix: first.fix }),
    });
  }
  if (!output.machine) process.stderr.write(`${text}\n`);
  throw new DispatchError(
    first.code,
    `nothing was started: ${problemCounts(errors)} in nodes.json and specs/`,
    {
      where: home,
      ...(output.machine ? { why: text } : {}),
      fix: `dispatch validate ${names.join(' ')}`,
    },
  );
}
